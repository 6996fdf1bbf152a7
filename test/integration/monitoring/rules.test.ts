import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { run } from '../../cluster/commands.ts';
import { prometheusProgram } from '../../cluster/prometheus.ts';
import { alertCases } from './alert-cases.ts';
import { dashboard, queries } from './dashboard.ts';
import { alerts, ruleFile, rules } from './rules.ts';

const MINUTES = 15;

/** The test of an alert for promtool: that it fires, or does not. */
function testOf(alert: string, minutes: number, series: Readonly<Record<string, string>>, labels?: object): object {
  const rule = alerts.find((each) => each.alert === alert);
  const expected = labels && [{ exp_labels: { ...rule?.labels, ...labels } }];
  return {
    interval: '1m',
    input_series: Object.entries(series).map(([name, values]) => ({ series: name, values })),
    alert_rule_test: [{ eval_time: `${minutes}m`, alertname: alert, exp_alerts: expected ?? [] }],
  };
}

describe('the rules for Prometheus', function () {
  this.timeout(60_000);
  let folder: string;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'rules-'));
    await writeFile(join(folder, 'rules.json'), JSON.stringify(ruleFile));
  });
  after(() => rm(folder, { recursive: true, force: true }));

  /** Runs promtool with a document, which as JSON is YAML. */
  async function promtool(command: readonly string[], document: object): Promise<string> {
    const file = join(folder, 'document.json');
    await writeFile(file, JSON.stringify(document));
    return run(prometheusProgram('promtool'), [...command, file], { cwd: folder });
  }

  it('are such that Prometheus takes them', async () => {
    expect(await promtool(['check', 'rules'], ruleFile)).to.contain(`${rules.length} rules found`);
  });

  it('are joined by queries of the dashboard that Prometheus takes as well', async () => {
    const asRules = queries.map(({ expr }, index) => ({ record: `query:${index}`, expr }));
    const checked = await promtool(['check', 'rules'], { groups: [{ name: 'dashboard', rules: asRules }] });
    expect(checked).to.contain(`${queries.length} rules found`);
  });

  it('tell of what they are there for, and of nothing like it', async () => {
    // Annotations are texts for people.
    const groups = ruleFile.groups.map((group) => ({
      ...group,
      rules: group.rules.map(({ annotations: _, ...rule }) => rule),
    }));
    await writeFile(join(folder, 'rules.json'), JSON.stringify({ groups }));
    const tests = alertCases.flatMap(({ alert, fires, quiet, labels = {}, minutes = MINUTES }) => [
      testOf(alert, minutes, fires, labels),
      testOf(alert, minutes, quiet),
    ]);
    await promtool(['test', 'rules'], { rule_files: ['rules.json'], evaluation_interval: '1m', tests });
  });

  it('are tried, each alert of them', () => {
    expect([...new Set(alertCases.map(({ alert }) => alert))]).to.have.members(alerts.map(({ alert }) => alert));
  });
});

describe('the alerts', () => {
  const runbooks = join(import.meta.dirname, '../../../docs/runbooks');

  it('have a page each, which says what they mean, where to look, and what to do', async () => {
    for (const { alert, annotations } of alerts) {
      expect(annotations?.['runbook_url']).to.equal(`docs/runbooks/${alert}.md`);
      const page = await readFile(join(runbooks, `${alert}.md`), 'utf8');
      for (const part of [`# ${alert}`, '## What it means', '## Look', '```sh', '## What to do'])
        expect(page, alert).to.contain(part);
    }
  });

  it('have all pages', async () => {
    const pages = (await readdir(runbooks)).filter((name) => name !== 'README.md');
    expect(pages).to.have.members(alerts.map(({ alert }) => `${alert}.md`));
  });

  it('say how bad they are, and what they are of, as those of CDI do', () => {
    for (const { alert, labels, annotations } of alerts) {
      expect(labels, alert).to.include({
        kubernetes_operator_part_of: 'kubevirt',
        kubernetes_operator_component: 'containerized-data-importer',
      });
      expect(labels?.['severity']).to.be.oneOf(['info', 'warning', 'critical']);
      expect(labels?.['operator_health_impact']).to.be.oneOf(['none', 'warning', 'critical']);
      expect(annotations).to.have.all.keys('summary', 'description', 'runbook_url');
    }
  });
});

describe('the dashboard', () => {
  it('is one that Grafana reads, each panel of its own', () => {
    const ids = dashboard.panels.map(({ id }) => id);
    expect(new Set(ids).size).to.equal(ids.length);
    for (const { x, w } of dashboard.panels.map(({ gridPos }) => gridPos)) expect(x + w).to.be.at.most(24);
  });
});
