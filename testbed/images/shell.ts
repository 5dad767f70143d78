import { setTimeout as sleep } from 'node:timers/promises';
import type { Api } from '../kube/api.ts';
import { isTrue } from '../kube/conditions.ts';
import type { Condition, Pod } from '../kube/objects.ts';
import { pods, type Resource } from '../kube/resources.ts';
import { findControlPlane, kubeconfigOfControlPlane } from '../kubestellar/control-planes.ts';
import { Exit, type PodContext } from '../pod-runner/program.ts';
import { resourceCalled } from './kubectl-kinds.ts';

/** Runs one kubectl command; `input` is its standard input. */
type Kubectl = (args: string[], input?: string) => Promise<void>;

/** Between two iterations of a loop; the real scripts sleep 5 or 10 s. */
const loopPause = 500;

/**
 * The shell commands in KubeFlex's and KubeStellar's manifests, and no others: `echo`, `kubectl` with or without a here-document,
 * waiting in a loop for a pod or a kind, and the script that prints a control plane's kubeconfig. As in a shell without -e, the
 * next command runs after a failure, and the last one determines the exit code.
 */
export async function runScript(context: PodContext, api: Api, script: string, kubectl: Kubectl): Promise<void> {
  const lines = script.split('\n').map((line) => line.trim());
  let failure: Exit | undefined;
  while (lines.length > 0) {
    const line = lines.shift() ?? '';
    if (line === '' || line.startsWith('#')) continue;
    try {
      failure = undefined;
      await runLine(context, api, line, lines, kubectl);
    } catch (error) {
      if (!(error instanceof Exit)) throw error;
      failure = error;
      if (lines.some((rest) => rest !== '')) context.log(error.message);
    }
  }
  if (failure) throw failure;
}

/** Reads further lines if the first one is incomplete. */
async function runLine(context: PodContext, api: Api, line: string, rest: string[], kubectl: Kubectl): Promise<void> {
  const echo = /^echo "(.*)"$/.exec(line);
  const wait = /^(?:until|while) .*kubectl get pods (\S+) -n (\S+) .*Ready/.exec(line);
  const exists = /^until kubectl get (\S+) .*; do$/.exec(line);
  const getKubeconfig = /get-kubeconfig\.sh '(.*?)' (true|false).*> (\S+)$/.exec(line);
  if (echo) return context.log(echo[1] ?? '');
  if (wait) {
    const body = rest.splice(0, rest.indexOf('done') + 1);
    const said = body.flatMap((each) => /^echo "(.*)"$/.exec(each)?.[1] ?? []);
    return untilReady(context, api, `${wait[2]}/${wait[1]}`, said);
  }
  if (exists) {
    rest.splice(0, rest.indexOf('done') + 1);
    return untilServed(context, api, resourceCalled(exists[1] ?? ''));
  }
  if (getKubeconfig) {
    const [, name = '', mayGuess, path = ''] = getKubeconfig;
    return getKubeconfigScript(context, api, name, mayGuess === 'true', path);
  }
  if (!line.startsWith('kubectl ')) throw new Exit(`sh: ${line.split(' ')[0]}: not found`);
  const [command = '', end] = line.split(' <<');
  const document = end === undefined ? undefined : rest.splice(0, rest.indexOf(end) + 1).slice(0, -1);
  return kubectl(command.split(/\s+/).slice(1), document?.join('\n'));
}

async function untilReady({ log, signal }: PodContext, api: Api, key: string, said: string[]): Promise<void> {
  const isReady = async () => {
    const pod = await api.find<Pod & { status?: { conditions?: Condition[] } }>(pods, key);
    return isTrue(pod?.status?.conditions, 'Ready');
  };
  while (!signal.aborted && !(await isReady().catch(() => false))) {
    for (const line of said) log(line);
    await sleep(loopPause);
  }
}

async function untilServed({ signal }: PodContext, api: Api, resource: Resource): Promise<void> {
  const isServed = () => api.list(resource).then(Boolean, () => false);
  while (!signal.aborted && !(await isServed())) await sleep(loopPause);
}

/** Writes the in-cluster kubeconfig of a control plane that is ready (core chart 0.28 and 0.29, get-kubeconfig.sh). */
async function getKubeconfigScript(
  { log, signal, writeFile }: PodContext,
  api: Api,
  name: string,
  mayGuess: boolean,
  path: string,
): Promise<void> {
  if (name === '' && !mayGuess) throw new Exit('ERROR: no Control Plane name specified!');
  for (; !signal.aborted; await sleep(loopPause)) {
    const found = await findControlPlane(api, name, 'its');
    if (found === 'several') {
      throw new Exit(
        'ERROR: Multiple ITS control planes found, but none specified. Set ITSName Helm value or ITS_NAME env var to select one.',
      );
    }
    if (!found) log('Waiting for an ITS control plane to exist...');
    else if (!isTrue(found.status?.conditions, 'Ready'))
      log(`Waiting for "${found.metadata.name}" control plane to exist and be ready...`);
    else return writeFile(path, await kubeconfigOfControlPlane(api, found));
  }
}
