import type { AnyObject, Condition, Deployment } from '../kube/objects.ts';
import { deployments, jobs, postCreateHooks, type Resource, statefulSets } from '../kube/resources.ts';
import type { RestMapper } from '../kube/rest-mapper.ts';
import type { Reconciled } from './cluster.ts';
import { contains } from './contains.ts';
import type { HookUse, PostCreateHook } from './objects.ts';
import { render } from './templates.ts';

const fieldManager = 'kubeflex';

/** An object of a hook as it is in its target cluster. */
interface Placed {
  resource: Resource;
  key: string;
  object: AnyObject;
}

/**
 * Creates the objects of all hooks, in order; throws if a hook is missing, or if anything failed. A hook is marked as applied in
 * the status once its objects exist and, if the control plane waits for its hooks, are ready; it is not applied again after that.
 */
export async function reconcileHooks(its: Reconciled, mapper: RestMapper): Promise<void> {
  const waits = its.controlPlane.spec.waitForPostCreateHooks === true;
  const errors: string[] = [];
  let isComplete = true;
  for (const use of hooksOf(its)) {
    const { hookName } = use;
    const isApplied = its.controlPlane.status?.postCreateHooks?.[hookName] !== undefined;
    if (isApplied && !waits) continue;
    // A missing hook has no other effect: no condition reports it.
    const hook = await its.get<PostCreateHook>(postCreateHooks, hookName).catch((error: Error) => {
      throw isApplied ? error : new Error(`post create hook not found: ${error.message}`);
    });
    try {
      const placed: Placed[] = [];
      for (const template of hook.spec?.templates ?? []) {
        placed.push(await place(its, mapper, render(template, varsOf(its, hook, use))));
        const last = placed.at(-1);
        if (last && !isApplied) await applyObject(its, last);
      }
      const isReady = !waits || (await areReady(its, placed));
      if (!isReady) isComplete = false;
      if (isApplied || !isReady) continue;
    } catch (error) {
      isComplete = false;
      if (!isApplied) errors.push(`permanent error applying hook ${hookName}: ${(error as Error).message}`);
      continue;
    }
    its.prepareStatus({ postCreateHooks: { ...its.controlPlane.status?.postCreateHooks, [hookName]: true } });
    await its.writeStatus();
    await propagateLabels(its, hook);
  }
  its.prepareStatus({ postCreateHookCompleted: isComplete && errors.length === 0 });
  await its.writeStatus();
  if (errors.length > 0) throw new Error(`errors processing hooks: [${errors.join(' ')}]`);
}

/** The hooks of both spellings, each once. */
function hooksOf({ controlPlane: { spec } }: Reconciled): HookUse[] {
  const legacy = spec.postCreateHook ? [{ hookName: spec.postCreateHook, vars: spec.postCreateHookVars ?? {} }] : [];
  const all = [...legacy, ...(spec.postCreateHooks ?? [])].filter(({ hookName }) => hookName);
  return all.filter(({ hookName }, at) => all.findIndex((use) => use.hookName === hookName) === at);
}

function varsOf(its: Reconciled, { spec }: PostCreateHook, { hookName, vars }: HookUse): Record<string, string> {
  const defaults = Object.fromEntries((spec?.defaultVars ?? []).map(({ name, value }) => [name, value]));
  const system = { Namespace: its.namespace, ControlPlaneName: its.name, HookName: hookName };
  return { ...defaults, ...its.controlPlane.spec.globalVars, ...vars, ...system };
}

/** Objects with a namespace go into the control plane's; the others are marked for the clean-up. */
async function place(its: Reconciled, mapper: RestMapper, object: AnyObject): Promise<Placed> {
  const resource = await mapper.resourceFor(object);
  const { metadata } = object;
  const { namespace } = its;
  if (resource.namespaced)
    return {
      resource,
      key: `${namespace}/${metadata.name}`,
      object: { ...object, metadata: { ...metadata, namespace } },
    };
  const labels = { ...metadata.labels, 'app.kubernetes.io/managed-by': 'Helm' };
  const annotations = { ...metadata.annotations, 'meta.helm.sh/release-namespace': namespace };
  return { resource, key: metadata.name, object: { ...object, metadata: { ...metadata, labels, annotations } } };
}

/** Creates the object, or applies what it lacks: without force, so other managers keep their fields. */
async function applyObject({ api }: Reconciled, { resource, key, object }: Placed): Promise<void> {
  const present = await api.find<AnyObject>(resource, key);
  if (!present) await api.create<AnyObject>(resource, object);
  else if (!contains(present, object)) {
    const { apiVersion, kind } = resource;
    await api.patch(resource, key, { ...object, apiVersion, kind }, { type: 'apply', fieldManager, force: false });
  }
}

async function areReady(its: Reconciled, placed: Placed[]): Promise<boolean> {
  for (const each of placed) if (!(await isReady(its, each))) return false;
  return true;
}

async function isReady({ api }: Reconciled, { resource, key }: Placed): Promise<boolean> {
  const object = await api.get<AnyObject & { status?: Record<string, unknown> }>(resource, key);
  const { status = {} } = object;
  if (resource.kind === deployments.kind || resource.kind === statefulSets.kind)
    return (status.readyReplicas ?? 0) === ((object as unknown as Deployment).spec.replicas ?? 1);
  // A failed Job is never reported.
  if (resource.kind === jobs.kind) return Number(status.succeeded ?? 0) > 0;
  if (resource.kind === 'CustomResourceDefinition')
    return (
      (status.conditions as Condition[] | undefined)?.some(
        (condition) => condition.type === 'Established' && condition.status === 'True',
      ) === true
    );
  if (resource.kind === 'Pod') return status.phase === 'Running' || status.phase === 'Succeeded';
  return true;
}

/** The hook's labels say what the control plane is: `kflex.kubestellar.io/cptype`. */
async function propagateLabels(its: Reconciled, { metadata: { labels = {} } }: PostCreateHook): Promise<void> {
  const present = its.controlPlane.metadata.labels ?? {};
  if (Object.entries(labels).every(([name, value]) => present[name] === value)) return;
  await its.updateMetadata({ labels: { ...present, ...labels } });
}
