import './support/environment.ts';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parse } from 'yaml';
import { read } from './support/sources.ts';

const parsed = (name: string) => parse(read(`docs/monitoring/${name}.yaml`));

interface Metric {
  name: string;
  each: { type: string; [kind: string]: unknown };
}
interface Rule {
  alert: string;
  expr: string;
  annotations: { summary: string; command: string };
}

/** Its labels by each metric of the configuration. */
const metrics = new Map<string, string[]>(
  parsed('kube-state-metrics').spec.resources.flatMap(
    (of: { metricNamePrefix: string; labelsFromPath: object; metrics: Metric[] }) =>
      of.metrics.map(({ name, each }) => {
        const { labelsFromPath = {}, labelName } = (each[
          each.type === 'StateSet' ? 'stateSet' : each.type.toLowerCase()
        ] ?? {}) as { labelsFromPath?: object; labelName?: string };
        const labels = [
          ...Object.keys(of.labelsFromPath),
          ...Object.keys(labelsFromPath),
          ...(labelName ? [labelName] : []),
        ];
        return [`${of.metricNamePrefix}_${name}`, labels];
      }),
  ),
);
const rules: Rule[] = parsed('alerts').groups.flatMap(({ rules }: { rules: Rule[] }) => rules);

test('alerts use only metrics and labels that kube-state-metrics shows', () => {
  assert.equal(rules.length, 5);
  for (const { alert, expr, annotations } of rules) {
    const names = [...expr.matchAll(/kubestellar_\w+/g)].map(([name]) => name);
    assert.ok(names.length > 0, alert);
    for (const name of names) {
      const labels = metrics.get(name);
      assert.ok(labels, `${alert}: ${name}`);
      const used = `${expr} ${annotations.summary} ${annotations.command}`;
      for (const [, inSelector, inText] of used.matchAll(/(\w+)="|\$labels\.(\w+)/g))
        assert.ok(labels.includes(inSelector ?? inText ?? ''), `${alert}: ${inSelector ?? inText}`);
    }
  }
});

test('the page names the metrics', () => {
  const page = read('docs/monitoring.md');
  const named = [...page.matchAll(/`(kubestellar_\w+)\{([^}]*)\}`/g)].map(
    ([, name = '', labels = '']) => [name, labels.split(', ').sort()],
  );
  assert.deepEqual(
    new Map(named as [string, string[]][]),
    new Map([...metrics].map(([name, labels]) => [name, labels.toSorted()])),
  );
});
