import { isDeepStrictEqual } from 'node:util';
import { command } from '../core/command-line.ts';
import { forName, type NamedResult } from '../core/each-name.ts';
import { StellarError } from '../core/errors.ts';
import { run as nextStep } from '../core/next-step.ts';
import type { Run } from '../core/run.ts';
import { groupOf, resources } from '../kube/client/resources.ts';
import { type DiscoveredKind, discoverKinds } from '../kube/discovery.ts';
import { flagsOf, type OpenWds } from '../spaces/open-wds.ts';
import { requireKind } from './find-kind.ts';
import { nameTaken } from './name-taken.ts';
import { type CustomTransform, getTransform, isOfKind, type TransformSpec } from './transforms.ts';
import { sendableKinds } from './wds-contents.ts';

export interface TransformResult extends NamedResult {
  wds: string;
  changed: boolean;
}

/** @param kind any name of the kind @throws StellarError `usage` */
export async function transformSpec(kind: string, remove: readonly string[], wds: OpenWds): Promise<TransformSpec> {
  const found = requireKind(kind, sendableKinds(await discoverKinds(wds.kube), wds.apiGroups));
  for (const text of remove) requireDispensable(text, found);
  return { apiGroup: groupOf(found.apiVersion), resource: found.plural, remove: [...remove] };
}

/** Fields without which no object can be applied on a WEC. */
const identity = [['apiVersion'], ['kind'], ['metadata', 'name']];

/**
 * Escapes are refused: written in another way, a name could be one of these fields.
 * @throws StellarError `usage` for a path that cannot be parsed, or for a field that every object needs
 */
function requireDispensable(text: string, { kind, namespaced }: DiscoveredKind): void {
  if (!/^\$(\.[A-Za-z_]\w*|\["[^"\\]+"\])+$/.test(text))
    throw new StellarError(
      'usage',
      `"${text}" is no path: it is as $.spec.replicas, or $.metadata.labels["any name"].`,
    );
  const path = [...text.matchAll(/\.(\w+)|\["([^"]+)"\]/g)].map(([, name, quoted]) => name ?? quoted);
  const needed = namespaced ? [...identity, ['metadata', 'namespace']] : identity;
  const lost = needed.find((field) => path.every((name, index) => name === field[index]));
  if (lost === undefined) return;
  throw new StellarError(
    'usage',
    `Without ${text} no ${kind} can be applied on a WEC: ${lost.join('.')} says which object it is.`,
  );
}

/**
 * Creates a transform. An existing transform with the same content stays unchanged.
 * @throws StellarError `name-taken`, also if another transform is for the same kind
 */
export async function createTransform(
  name: string,
  spec: TransformSpec,
  wds: OpenWds,
  run: Run,
): Promise<TransformResult> {
  const all = (await wds.kube.list<CustomTransform>(resources.customTransforms)) ?? [];
  const present = all.find(({ metadata }) => metadata.name === name);
  if (present !== undefined && !isDeepStrictEqual(present.spec, spec))
    throw nameTaken(
      `CustomTransform ${name}`,
      wds,
      nextStep(command`stellarctl transform get ${name} ${flagsOf(wds)}`, 'See what it does'),
    );
  const other = all.find((each) => isOfKind(each, spec) && each.metadata.name !== name);
  if (other !== undefined)
    throw new StellarError(
      'name-taken',
      `CustomTransform ${other.metadata.name} is for ${spec.resource} already; KubeStellar warns of a second one. Nothing was written.`,
      {
        next: [
          nextStep(command`kubectl --context ${wds.context} edit customtransform ${other.metadata.name}`, 'Add to it'),
        ],
      },
    );
  const result: TransformResult = { name, wds: wds.name, changed: false };
  return forName(result, run, async () => {
    const { apiVersion, kind } = resources.customTransforms;
    const transform: CustomTransform = { apiVersion, kind, metadata: { name }, spec };
    result.changed = present === undefined && (await wds.kube.apply(transform)) !== 'unchanged';
    if (!run.dryRun) run.progress.done(name, result.changed ? 'created' : 'already exists; nothing to do');
  });
}

/** @throws StellarError `not-found` */
export async function deleteTransform(name: string, wds: OpenWds, run: Run): Promise<TransformResult> {
  const { transform } = await getTransform(wds, name);
  const result: TransformResult = { name, wds: wds.name, changed: false };
  return forName(result, run, async () => {
    result.changed = await wds.kube.delete(resources.customTransforms, name, { uid: transform.metadata.uid });
    if (!run.dryRun) run.progress.done(name, 'deleted');
  });
}
