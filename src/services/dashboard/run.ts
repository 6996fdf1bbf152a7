import { readAssets } from '../../dashboard/assets.ts';
import { runService } from '../run-service.ts';
import { Dashboard } from './dashboard.ts';

/** Runs the dashboard as a process, see {@link runService}. */
export async function runDashboard(): Promise<number> {
  const assets = await readAssets();
  return runService((options) => new Dashboard({ ...options, assets }));
}
