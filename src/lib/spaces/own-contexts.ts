import { type Check, pass } from '../core/checks.ts';
import { command } from '../core/command-line.ts';
import { failureOf } from '../core/errors.ts';
import { type Problem, problem, run } from '../core/next-step.ts';
import type { Connect, Kube } from '../kube/client/client.ts';
import { type Kubeconfig, type SelectedContext, selectContext } from '../kube/kubeconfig/kubeconfig.ts';
import { clusterUid } from '../ocm/cluster-uid.ts';
import type { SpaceRole } from '../ocm/kubeflex-names.ts';
import { controlPlaneOf, hostingContext, hostingOf } from './kubeconfig-extension.ts';
import { contextsOf } from './space-access.ts';
import type { SpaceEvidence } from './space-evidence.ts';
import type { SpaceTools } from './space-tools.ts';

/** A space that answers, and its contexts. */
interface OwnContexts {
  space: Pick<SpaceEvidence, 'name' | 'role' | 'type'>;
  /** By the Secret of the hosting cluster; undefined if this user may not read it. */
  kube: Kube | undefined;
  tools: Pick<SpaceTools, 'kubeconfig' | 'hostingContext'> & { connect: Connect };
}

/** The check of the kubeconfig's contexts of a space. Commands use them, and not the Secret of the hosting cluster. */
export const contextChecks = (role: SpaceRole): Check<OwnContexts>[] => [
  {
    ...{ id: `${role}-context`, title: 'the contexts of the kubeconfig reach it', needs: [`${role}-reachable`] },
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
export async function brokenContext({ space, kube, tools }: OwnContexts): Promise<Problem | undefined> {
  if (space.type === 'external') return undefined;
  const { kubeconfig, hostingContext: hosting, connect } = tools;
  const uid = kube && (await clusterUid(kube).catch(() => undefined));
  const tried = contextsOf(kubeconfig, space.name, hosting.name).map(async (context) => {
    const { renewal } = stepsFor(context, space.role, kubeconfig);
    try {
      const found = await clusterUid(connect(selectContext(kubeconfig, context)));
      if (uid === undefined || found === undefined || uid === found) return [];
      const why = `The context ${context} leads to another cluster than ${space.name} of ${hosting.name}: their kube-system UIDs differ.`;
      return problem('context-elsewhere', why, ...(renewal ? [renewal] : []));
    } catch (error) {
      const { message, next } = failureOf(error);
      return problem(
        'context-broken',
        `The context ${context} does not work: ${message}`,
        ...(renewal ? [renewal] : next),
      );
    }
  });
  return (await Promise.all(tried)).flat()[0];
}

/**
 * The steps for the context of a space of a known hosting cluster: what shows the space, and what writes its credentials into the
 * context again, unless that has entries of its own, which the command does not write.
 */
export function stepsFor(
  context: string,
  role: SpaceRole,
  kubeconfig: Kubeconfig,
): Pick<SelectedContext, 'inspection' | 'renewal'> {
  const entry = kubeconfig.contexts.get(context);
  const name = controlPlaneOf(entry) ?? context;
  const known = hostingContext(kubeconfig);
  const hosting = hostingOf(entry) ?? known ?? '';
  const isWritten = entry?.cluster === `${name}-cluster` && (context === name || entry.user === `${name}-admin`);
  if (!kubeconfig.contexts.has(hosting) || !contextsOf(kubeconfig, name, hosting).includes(context)) return {};
  const option = hosting === known ? [] : ['--hosting-context', hosting];
  const renew = command`stellarctl ${role} context ${name} ${option}`;
  return {
    inspection: run(command`stellarctl ${role} get ${name} ${option}`, 'See whether it runs'),
    renewal: isWritten ? run(renew, 'Write its present address and credentials') : undefined,
  };
}
