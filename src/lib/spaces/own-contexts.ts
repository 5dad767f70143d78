import { type Check, pass } from '../engine/checks.ts';
import { command } from '../engine/command-line.ts';
import { failureOf } from '../engine/errors.ts';
import { type NextStep, run } from '../engine/next-step.ts';
import { type Problem, problem } from '../engine/problem.ts';
import type { Connect, Kube } from '../kube/client/client.ts';
import { type Kubeconfig, selectContext } from '../kube/kubeconfig/kubeconfig.ts';
import { clusterUid } from '../wecs/identity/cluster-uid.ts';
import { contextsOf } from './access.ts';
import { controlPlaneOf, hostingContext, hostingOf } from './kubeconfig-extension.ts';
import type { SpaceRole } from './names.ts';
import type { SpaceEvidence } from './stages/evidence.ts';

/** A space that answers, and its contexts. */
interface OwnContexts {
  space: Pick<SpaceEvidence, 'name' | 'role' | 'type'>;
  /** By the Secret of the hosting cluster; undefined if this user may not read it. */
  kube: Kube | undefined;
  kubeconfig: Kubeconfig;
  /** The context of the hosting cluster. */
  hosting: string;
  connect: Connect;
}

/** The check of the kubeconfig's contexts of a space. Commands use them, and not the Secret of the hosting cluster. */
export const contextChecks = (role: SpaceRole): Check<OwnContexts>[] => [
  {
    ...{ id: `${role}-context`, title: 'the contexts of the kubeconfig reach it' },
    run: async (own) => {
      const broken = await brokenContext(own);
      return broken === undefined ? pass() : { status: 'fail', problem: broken };
    },
  },
];

/**
 * Tries each context of a space with its own credentials, by reading the namespace kube-system, whose UID identifies the cluster.
 * Undefined if all work. A context of an external space is how the space is reached at all, and has no other source.
 */
export async function brokenContext(own: OwnContexts): Promise<Problem | undefined> {
  const { space, kube, kubeconfig, hosting, connect } = own;
  if (space.type === 'external') return undefined;
  const uid = kube && (await clusterUid(kube).catch(() => undefined));
  const tried = contextsOf(kubeconfig, space.name, hosting).map(async (context) => {
    const next = [renewal(space, context, own)].flat();
    try {
      const found = await clusterUid(connect(selectContext(kubeconfig, context)));
      if (uid === undefined || found === undefined || uid === found) return [];
      const why = `The context ${context} leads to another cluster than ${space.name} of ${hosting}: their kube-system UIDs differ.`;
      return [problem('context-elsewhere', why, ...next)];
    } catch (error) {
      const { message, next: others } = failureOf(error);
      const steps = next.length > 0 ? next : others;
      return [problem('context-broken', `The context ${context} does not work: ${message}`, ...steps)];
    }
  });
  return (await Promise.all(tried)).flat()[0];
}

/**
 * The step that writes the credentials of an ITS or WDS into its context again; none for a context with entries of its own, which
 * the command does not write.
 */
function renewal(
  { name, role }: Pick<SpaceEvidence, 'name' | 'role'>,
  context: string,
  { kubeconfig, hosting }: Pick<OwnContexts, 'kubeconfig' | 'hosting'>,
): NextStep[] {
  const { cluster, user } = kubeconfig.contexts.get(context) ?? {};
  if (context !== name && !(cluster === `${name}-cluster` && user === `${name}-admin`)) return [];
  const option = hosting === hostingContext(kubeconfig) ? [] : ['--hosting-context', hosting];
  return [run(command`stellarctl ${role} context ${name} ${option}`, 'Write its present address and credentials')];
}

/** The same for a context that a command uses: undefined unless it is that of a space of a known hosting cluster. */
export function renewalOf(context: string, role: SpaceRole, kubeconfig: Kubeconfig): NextStep | undefined {
  const entry = kubeconfig.contexts.get(context);
  const name = controlPlaneOf(entry) ?? context;
  const hosting = hostingOf(entry) ?? hostingContext(kubeconfig);
  // An external space has the user's own entries.
  if (hosting === undefined || !kubeconfig.contexts.has(hosting) || entry?.cluster !== `${name}-cluster`)
    return undefined;
  if (!contextsOf(kubeconfig, name, hosting).includes(context)) return undefined;
  return renewal({ name, role }, context, { kubeconfig, hosting })[0];
}
