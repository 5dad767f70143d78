import { execFile } from 'node:child_process';
import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { machineEnvironment } from '../plane/machine.ts';
import { replaceIn } from '../replace-in.ts';

const run = promisify(execFile);
const modules = [
  'github.com/kubestellar/kubestellar@v0.30.0',
  'github.com/kubestellar/kubeflex@v0.9.3',
];

/** The folders of both modules. */
export async function publishedModules(): Promise<Record<'kubestellar' | 'kubeflex', string>> {
  const env = { ...machineEnvironment(), GOFLAGS: '-mod=mod' };
  const cwd = join(import.meta.dirname, 'module');
  const { stdout } = await run('go', ['mod', 'download', '-json', ...modules], { cwd, env });
  const folders = [...stdout.matchAll(/"Dir": "([^"]+)"/g)].map(([, folder = '']) => folder);
  const [kubestellar = '', kubeflex = ''] = folders.sort().reverse();
  return { kubestellar, kubeflex };
}

/**
 * Copies the core chart of KubeStellar 0.30.0, with KubeFlex's chart inside, out of their Go modules, and prepares it as their
 * releases do (kubestellar .github/workflows/goreleaser.yml; kubeflex Makefile, target chart). Without Argo CD, which no module has.
 */
export async function copyPublished(chart: string): Promise<void> {
  const { kubestellar, kubeflex } = await publishedModules();
  const operator = join(chart, 'charts', 'kubeflex-operator');
  const copy = async (from: string, to: string) => {
    await cp(from, to, { recursive: true });
    // The folders of modules are read-only.
    await run('chmod', ['-R', 'u+w', chart]);
  };
  await copy(join(kubestellar, 'core-chart'), chart);
  await copy(join(kubeflex, 'chart'), operator);
  await copy(join(kubeflex, 'config', 'crd', 'bases'), join(operator, 'crds'));
  await replaceIn(join(chart, 'Chart.yaml'), /^- name: argo-cd\n(?: {2}.*\n)+/m, '');
  await replaceIn(
    join(operator, 'templates', 'operator.yaml'),
    'image: <placeholder>',
    'image: ghcr.io/kubestellar/kubeflex/manager:0.9.3',
  );
}
