import { setTimeout as sleep } from 'node:timers/promises';
import type { Api } from '../kube/api.ts';
import { readCurrentContext } from '../kube/kubeconfig.ts';
import { customResourceDefinitions } from '../kube/resources.ts';
import { findControlPlane, kubeconfigOfControlPlane } from '../kubestellar/control-planes.ts';
import { runControllers } from '../kubestellar/controller-manager.ts';
import { wdsCrds, workStatusCrd } from '../kubestellar/crds.ts';
import { Exit, type PodContext } from '../pod-runner/program.ts';
import { withLastWords } from './last-words.ts';

/** How long it waits for a control plane before it gives up, and how often it checks (pkg/ctrlutil/kubeconfig.go). */
const controlPlanes = { timeout: 300_000, pause: 1_000 };

/** How often it checks whether the ITS has WorkStatuses; the real one every 15 s. */
const workStatusPause = 1_000;

/** A variable for tests of restarts: when it empties and when it fills the Bindings that exist, as `6000,7000`; it does not otherwise. */
const startVariable = 'BED_EMPTIES_BINDINGS';

function startOf(text: string | undefined) {
  const [emptiesAt, fillsAt] = (text ?? '').split(',').map(Number);
  return emptiesAt === undefined || fillsAt === undefined ? undefined : { emptiesAt, fillsAt };
}

/**
 * Stands in for KubeStellar's controller-manager (cmd/controller-manager): finds its WDS and its ITS, defines its kinds in the WDS,
 * and silently ignores BindingPolicies until the ITS has the status add-on's kind.
 */
export async function controllerManager(context: PodContext): Promise<void> {
  const { args, log, setReady, signal } = context;
  const flag = (name: string) => args.find((arg) => arg.startsWith(`${name}=`))?.slice(name.length + 1) ?? '';
  // Its probes are answered from the start.
  setReady(true);
  await withLastWords(async () => {
    const wds = await spaceOf(context, flag('--wds-name'), 'wds');
    const its = await spaceOf(context, flag('--its-name'), 'its');
    await ensureCrds(wds.api, log);
    await untilWorkStatuses(its.api, context);
    if (signal.aborted) return;
    log('Starting controller name=Binding');
    const groups = flag('--api-groups')
      .split(',')
      .map((group) => group.trim());
    await runControllers({
      wds: wds.api,
      its: its.api,
      wdsName: wds.name,
      allowedGroups: flag('--api-groups') === '' ? undefined : new Set([...groups, 'apiextensions.k8s.io']),
      signal,
      log,
      start: startOf(context.env[startVariable]),
    });
  }, '');
}

async function spaceOf(context: PodContext, name: string, role: 'its' | 'wds'): Promise<{ name: string; api: Api }> {
  const { api, connect, log, signal } = context;
  const title = role.toUpperCase();
  log(`Getting config for ${title} name=${name}`);
  for (const deadline = Date.now() + controlPlanes.timeout; !signal.aborted; await sleep(controlPlanes.pause)) {
    const found = await findControlPlane(api, name, role).catch(() => undefined);
    if (found === 'several') {
      const why = `more than one control plane of type ${role} was found and no name was specified`;
      throw new Exit(`unable to get ${title} kubeconfig: ${why}`);
    }
    if (found) {
      const text = await kubeconfigOfControlPlane(api, found);
      return { name: found.metadata.name, api: connect(readCurrentContext(text).connection) };
    }
    if (Date.now() > deadline) throw new Exit(`unable to get ${title} kubeconfig: context deadline exceeded`);
  }
  throw new Exit('');
}

async function ensureCrds(wds: Api, log: (line: string) => void): Promise<void> {
  for (const crd of wdsCrds) {
    await wds.ensure(customResourceDefinitions, crd);
    log(`CRD is established name=${crd.metadata.name}`);
  }
}

async function untilWorkStatuses(its: Api, { log, signal }: PodContext): Promise<void> {
  const { name } = workStatusCrd.metadata;
  const isDefined = async () => (await its.find(customResourceDefinitions, name).catch(() => undefined)) !== undefined;
  for (let told = false; !signal.aborted && !(await isDefined()); told = true) {
    if (!told) log('Not creating status controller yet because WorkStatus is not defined in the ITS');
    await sleep(workStatusPause);
  }
}
