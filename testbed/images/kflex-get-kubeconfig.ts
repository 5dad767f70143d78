import { setTimeout as sleep } from 'node:timers/promises';
import { isTrue } from '../kube/conditions.ts';
import { controlPlanes } from '../kube/resources.ts';
import { type ControlPlane, kubeconfigOfControlPlane } from '../kubestellar/control-planes.ts';
import { Exit, type PodContext } from '../pod-runner/program.ts';
import { klog } from './klog.ts';

/** Between two attempts; the real one begins with 5 s and ends with 20 s (kubestellar cmd/kflex-get-kubeconfig). */
const pause = 1_000;

/**
 * Stands in for KubeStellar's program that writes the in-cluster kubeconfig of a ready control plane to a file. It accepts a name
 * or a label selector, and rejects both together.
 */
export async function kflexGetKubeconfig({ args, api, log, signal, writeFile }: PodContext): Promise<void> {
  const name = option(args, '--control-plane-name');
  const labelSelector = option(args, '--control-plane-label-selector');
  const path = option(args, '--output-file');
  const refusal = refusalOf(name, labelSelector, path);
  if (refusal) throw new Exit(klog('E', 'main.go:76', `"${refusal}"`));
  const say = (text: string) => log(klog('I', 'main.go:116', text));
  for (; !signal.aborted; await sleep(pause)) {
    try {
      const found = name
        ? [await api.get<ControlPlane>(controlPlanes, name)]
        : (await api.list<ControlPlane>(controlPlanes, { labelSelector })).items;
      const [plane] = found;
      if (!plane || found.length > 1) {
        say(`"Did not get exactly 1 ControlPlane" numGot=${found.length}`);
      } else if (!isTrue(plane.status?.conditions, 'Ready')) {
        say('"The ControlPlane is not ready"');
      } else {
        writeFile(path, await kubeconfigOfControlPlane(api, plane));
        return;
      }
    } catch (error) {
      const what = name ? `ControlPlane" name="${name}"` : `ControlPlanes by label selector" name="${labelSelector}"`;
      say(`"Failed to fetch ${what} err="${(error as Error).message}"`);
    }
  }
}

function refusalOf(name: string, labelSelector: string, path: string): string | undefined {
  if (!name && !labelSelector) {
    return 'You must provide either a non-empty --control-plane-name OR a non-empty --control-plane-label-selector';
  }
  if (name && labelSelector) {
    return 'You may not provide both a non-empty --control-plane-name AND a non-empty --control-plane-label-selector';
  }
  return path ? undefined : 'The output file pathname may not be empty';
}

/** `--name value` or `--name=value`. */
function option(args: readonly string[], name: string): string {
  const at = args.indexOf(name);
  if (at >= 0) return args[at + 1] ?? '';
  return args.find((arg) => arg.startsWith(`${name}=`))?.slice(name.length + 1) ?? '';
}
