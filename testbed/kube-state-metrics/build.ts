import { join } from 'node:path';
import { buildGoModule } from '../plane/go-program.ts';

/** The real kube-state-metrics, for docs/monitoring. @returns the program */
export async function buildKubeStateMetrics(): Promise<string> {
  const folder = await buildGoModule(
    {
      module: import.meta.dirname,
      binaries: [{ name: 'kube-state-metrics', package: 'k8s.io/kube-state-metrics/v2' }],
      title: 'kube-state-metrics',
      duration: '1 to 3 minutes the first time',
    },
    () => {},
  );
  return join(folder, 'kube-state-metrics');
}
