import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';
import type { AnyObject } from '../kube/objects.ts';
import { vclusterObjects } from '../kubeflex/vcluster-chart.ts';
import { postgresqlObjects } from '../kubestellar/postgresql.ts';
import { statusAddonObjects } from '../kubestellar/status-addon-chart.ts';

/** What KubeFlex passes to the syncer: a name, the address for users, and another name (kubeflex 0.9.3 pkg/reconcilers/vcluster/chart.go). */
export const syncerWords = [0, 1, 2].map(
  (index) => `{{ index .Values.syncer.extraArgs ${index} }}`,
);

export const namespace = '{{ .Release.Namespace }}';

/** The substitutes for charts that no Go module has, as templates. */
const charts: Record<string, { values?: object; objects: (version: string) => AnyObject[] }> = {
  postgresql: {
    values: { global: { imageRegistry: 'quay.io' } },
    objects: () =>
      postgresqlObjects('{{ .Release.Name }}', namespace, '{{ .Values.global.imageRegistry }}'),
  },
  'ocm-status-addon-chart': { objects: (version) => statusAddonObjects('', namespace, version) },
  vcluster: { objects: () => vclusterObjects(namespace, syncerWords) },
};

export const isWritten = (name: string): boolean => name in charts;

/** Writes one of the charts into a folder. @param version with or without a leading `v` @param adapt changes its objects */
export function writeChart(
  folder: string,
  name: string,
  version: string,
  adapt: (object: AnyObject) => AnyObject = (object) => object,
): void {
  const { values = {}, objects } = charts[name] ?? {};
  if (!objects) throw new Error(`no chart ${name}`);
  mkdirSync(join(folder, 'templates'), { recursive: true });
  writeFileSync(
    join(folder, 'Chart.yaml'),
    stringify({ apiVersion: 'v2', name, version, appVersion: version }),
  );
  writeFileSync(join(folder, 'values.yaml'), stringify(values));
  const documents = objects(version.replace(/^v/, '')).map((object) =>
    stringify(adapt(object), { lineWidth: 0 }),
  );
  writeFileSync(join(folder, 'templates', 'objects.yaml'), documents.join('---\n'));
}
