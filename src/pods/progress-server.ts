import { createServer, type ServerResponse } from 'node:http';
import { env } from 'node:process';
import { Counter, Gauge, Registry } from 'prom-client';
import { OWNER_UID_VARIABLE, type TransferProgress } from '../protocol/transfer-pod.ts';
import { closeWithConnections, listen } from '../server/listen.ts';
import { type ProcessingPhase, processingPhases } from './phases.ts';

export interface ProgressServer {
  /** The port that it listens on, for callers that asked for port 0. */
  readonly port: number;
  close(): Promise<void>;
}

/** The state of a transfer; evaluated for every request. */
export interface ObservedTransfer {
  snapshot(): TransferProgress;
  /** The phase of one that has phases. */
  phase?(): ProcessingPhase | undefined;
}

/**
 * Serves the progress of a transfer: `GET /progress` (JSON), `/metrics` (Prometheus) and `/healthz`.
 *
 * @param metric name of the metric with the percentage, labelled with `ownerUID` from the environment's
 * OWNER_UID_VARIABLE
 * @param isReady whether the pod can be reached by those who use it, which makes it healthy
 */
export async function serveProgress(
  transfer: ObservedTransfer,
  port: number,
  metric: string,
  isReady: () => boolean = () => true,
): Promise<ProgressServer> {
  const metrics = createMetrics(transfer, metric);
  const server = createServer((request, response) => {
    const path = request.url?.split('?')[0];
    if (request.method !== 'GET' && request.method !== 'HEAD')
      answer(response, 405, 'text/plain', 'method not allowed\n');
    else if (path === '/progress') answer(response, 200, 'application/json', JSON.stringify(transfer.snapshot()));
    else if (path === '/healthz') {
      if (isReady()) answer(response, 200, 'text/plain', 'ok\n');
      else answer(response, 503, 'text/plain', 'not ready\n');
    } else if (path === '/metrics') {
      metrics.metrics().then(
        (text) => {
          answer(response, 200, metrics.contentType, text);
        },
        () => {
          answer(response, 500, 'text/plain', 'the metrics cannot be read\n');
        },
      );
    } else answer(response, 404, 'text/plain', 'not found\n');
  });
  const listeningOn = await listen(server, { port });
  // An observer must not keep the pod from exiting.
  server.unref();
  return {
    port: listeningOn,
    close: () => closeWithConnections(server),
  };
}

function createMetrics(transfer: ObservedTransfer, metric: string): Registry {
  const registry = new Registry();
  const ownerUID = env[OWNER_UID_VARIABLE] ?? '';
  const gauge = (name: string, help: string, value: (progress: TransferProgress) => number | undefined): void => {
    new Gauge({
      name,
      help,
      labelNames: ['ownerUID'],
      registers: [registry],
      collect() {
        this.reset();
        const now = value(transfer.snapshot());
        if (now !== undefined) this.set({ ownerUID }, now);
      },
    });
  };
  // Dashboards know this name, and with it the type.
  new Counter({
    name: metric,
    help: 'How much of the transfer is done, in percent',
    labelNames: ['ownerUID'],
    registers: [registry],
    collect() {
      this.reset();
      this.inc({ ownerUID }, transfer.snapshot().percent ?? 0);
    },
  });
  if (transfer.phase) registerPhase(registry, ownerUID, () => transfer.phase?.());
  gauge('diskpress_transfer_read_bytes', 'Bytes read from the source', (progress) => progress.bytesRead);
  gauge('diskpress_transfer_size_bytes', 'Bytes that the source has', (progress) => progress.bytesTotal);
  gauge('diskpress_transfer_written_bytes', 'Bytes written to the target', (progress) => progress.bytesWritten);
  gauge(
    'diskpress_transfer_skipped_bytes',
    'Bytes of the source that were on the target already',
    (progress) => progress.bytesSkipped,
  );
  gauge('diskpress_transfer_bytes_per_second', 'Bytes read a second', (progress) => progress.bytesPerSecond);
  gauge('diskpress_transfer_seconds_left', 'Seconds until all is read', (progress) => progress.secondsLeft);
  gauge('diskpress_transfer_connections', 'Connections that bring bytes', (progress) => progress.connections);
  gauge('diskpress_transfer_retries', 'Passing failures so far', (progress) => progress.retries);
  return registry;
}

/** Registers one series for each phase, with the value 1 of the present one. */
function registerPhase(registry: Registry, ownerUID: string, phase: () => ProcessingPhase | undefined): void {
  new Gauge({
    name: 'kubevirt_cdi_import_phase_info',
    help: 'The phase that the transfer is in, which has the value 1',
    labelNames: ['ownerUID', 'phase'],
    registers: [registry],
    collect() {
      const current = phase();
      for (const each of processingPhases) this.set({ ownerUID, phase: each }, each === current ? 1 : 0);
    },
  });
}

function answer(response: ServerResponse, status: number, contentType: string, body: string): void {
  response.writeHead(status, { 'content-type': contentType }).end(body);
}
