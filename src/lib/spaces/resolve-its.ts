import { failureOf, StellarError } from '../core/errors.ts';
import { advice } from '../core/next-step.ts';
import { type Access, hidden, ifSeen, through, whyUnseen } from '../kube/access.ts';
import { resources } from '../kube/client/resources.ts';
import { type Kubeconfig, type SelectedContext, selectContext } from '../kube/kubeconfig/kubeconfig.ts';
import { isSpaceName, roleWithArticle } from '../ocm/kubeflex-names.ts';
import type { ControlPlane } from '../ocm/kubeflex-objects.ts';
import { type ItsChoice, selectIts } from './its-choice.ts';
import { controlPlaneOf, hostingOf } from './kubeconfig-extension.ts';
import { contextFor, contextsOf, reachSpace } from './space-access.ts';
import type { SpaceTools } from './space-tools.ts';
import { listControlPlanes, roleOf } from './spaces.ts';

type HostingTools = Pick<SpaceTools, 'hosting' | 'hostingContext' | 'hostingSource' | 'kubeconfig'>;

/**
 * Resolves the ITS that a command uses, given as a context or by its name, in this order: a context of that name, a context marked
 * with an ITS of that name, an ITS of the hosting cluster.
 * @throws StellarError `context-unknown` if none is found, `several-its` if ITSes of several hosting clusters have the name
 */
export async function resolveIts(
  choice: ItsChoice,
  kubeconfig: Kubeconfig,
  findHosting: () => Promise<Access<HostingTools>>,
): Promise<SelectedContext> {
  const { given } = choice;
  if (kubeconfig.contexts.has(given)) return selectContext(kubeconfig, given);
  const hosting = await findHosting();
  const noted = notedContext(given, kubeconfig, hosting);
  if (noted !== undefined) return selectContext(kubeconfig, noted);
  try {
    return selectIts(kubeconfig, choice);
  } catch (error) {
    const unknown = failureOf(error);
    if (unknown.code !== 'context-unknown' || !isSpaceName(given)) throw unknown;
    const found = await through(hosting, (tools) => findByName(given, tools));
    if (found.state === 'seen' && found.value.state === 'seen') return found.value.value;
    const why = whyUnseen(found.state === 'seen' ? found.value : found);
    throw unknown.with({ details: [`No ITS of that name was found either: ${why}`] });
  }
}

/** @returns a context marked with the control plane of this name */
function notedContext(name: string, kubeconfig: Kubeconfig, hosting: Access<HostingTools>): string | undefined {
  const isCertain = hosting.state === 'seen' && hosting.value.hostingSource !== 'current context';
  if (isCertain) return contextsOf(kubeconfig, name, hosting.value.hostingContext.name)[0];
  const noted = [...kubeconfig.contexts].filter(([, context]) => controlPlaneOf(context) === name);
  const byHosting = new Map(noted.map(([context, entry]) => [hostingOf(entry) ?? '', context]));
  const contexts = [...byHosting.values()];
  if (contexts.length > 1)
    throw new StellarError(
      'several-its',
      `Several hosting clusters have a space ${name}: its contexts are ${contexts.join(', ')}.`,
      { next: [advice('Give one of these contexts')] },
    );
  return contexts[0];
}

async function findByName(name: string, tools: HostingTools): Promise<Access<SelectedContext>> {
  const { hosting } = tools;
  const controlPlane = await hosting.get<ControlPlane>(resources.controlPlanes, name);
  const role = controlPlane && roleOf(controlPlane);
  if (controlPlane === undefined || role === undefined) return hidden(`${hosting.cluster.context} has no ITS ${name}`);
  if (role !== 'its') return hidden(`${name} is ${roleWithArticle(role)} of ${hosting.cluster.context}`);
  const context = contextFor(controlPlane, tools) ?? name;
  return through(await reachSpace(controlPlane, tools), async (found) => ({ ...found, name: context }));
}

/** The only ITS of the hosting cluster; undefined if it has none or several, or does not show them. */
export async function onlyIts(hosting: Access<HostingTools>): Promise<ItsChoice | undefined> {
  const all = await through(hosting, ({ hosting: kube }) => listControlPlanes(kube, 'its'));
  const [its, ...others] = ifSeen(all) ?? [];
  return its && others.length === 0 ? { given: its.metadata.name, source: 'only ITS' } : undefined;
}

/** The name of an ITS of the hosting cluster, given by its name or by a context marked with it. */
export function nameOfIts(given: string, { kubeconfig, hostingContext }: HostingTools): string {
  const context = kubeconfig.contexts.get(given);
  const isElsewhere = ![undefined, hostingContext.name].includes(hostingOf(context));
  return isElsewhere ? given : (controlPlaneOf(context) ?? given);
}
