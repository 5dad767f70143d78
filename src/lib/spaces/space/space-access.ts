import { type Check, unless } from '../../core/checks.ts';
import { failureOf } from '../../core/errors.ts';
import { command, type Problem, problem, run } from '../../core/next-step.ts';
import { type Access, errorOf, hidden, hiddenBy, seen, through } from '../../kube/access.ts';
import type { Connect, Kube, Reader } from '../../kube/client/client.ts';
import { resources, type Secret, textIn } from '../../kube/client/objects.ts';
import { endingProblem, validitiesOf } from '../../kube/client/validity.ts';
import {
  contextFromCluster,
  type Kubeconfig,
  type SelectedContext,
  selectContext,
} from '../../kube/kubeconfig/kubeconfig.ts';
import { clusterUid } from '../../ocm/hub/cluster-uid.ts';
import { namespaceOf, type SpaceRole, secretOf } from '../../ocm/model/kubeflex-names.ts';
import type { ControlPlane } from '../../ocm/model/kubeflex-objects.ts';
import { controlPlaneOf, hostingContext, hostingOf, type SpaceTools } from '../hosting/hosting.ts';
import { roleOf, type SpaceEvidence, typeOf } from './spaces.ts';

type AccessTools = Pick<SpaceTools, 'hosting' | 'hostingContext' | 'kubeconfig'>;

/**
 * Determines how this machine reaches a space. Type host: the API server is that of the hosting cluster. Types vcluster and k8s:
 * the kubeconfig is in the Secret that KubeFlex creates. Type external: one of the user's contexts marked with the space's name,
 * because KubeFlex stores only a kubeconfig for pods.
 */
export const accessSpace = (
  controlPlane: ControlPlane,
  tools: AccessTools,
): Promise<Access<SelectedContext>> => locateSpace(controlPlane, tools).catch(hiddenBy);

/** Opens a client for a space. */
export async function openSpace(
  controlPlane: ControlPlane,
  tools: SpaceTools,
): Promise<Access<Kube>> {
  return through(await accessSpace(controlPlane, tools), tools.connect);
}

/**
 * Whether a client's cluster is a control plane's: both have the same kube-system UID, whatever their contexts are called. Hidden if
 * one of the UIDs cannot be read.
 */
export async function isSameCluster(
  kube: Kube,
  controlPlane: ControlPlane,
  tools: SpaceTools,
): Promise<Access<boolean>> {
  const uids = await through(await reachSpace(controlPlane, tools), (context) =>
    Promise.all([kube, tools.connect(context)].map(clusterUid)),
  );
  if (uids.state !== 'seen') return uids;
  const [ownContext, other] = uids.value;
  const areRead = ownContext !== undefined && other !== undefined;
  return areRead ? seen(ownContext === other) : hidden('the namespace kube-system may not be read');
}

async function locateSpace(
  controlPlane: ControlPlane,
  { hosting, hostingContext, kubeconfig }: AccessTools,
): Promise<Access<SelectedContext>> {
  const { name } = controlPlane.metadata;
  const type = typeOf(controlPlane);
  // It has no context of this name.
  const role = roleOf(controlPlane);
  const inspection = role && toSeeSpace(role, name, hostingContext.name, kubeconfig);
  const writing = role && toWrite(role, name, hostingContext.name, kubeconfig);
  if (type === 'host') return seen({ ...hostingContext, name, inspection, writing });
  if (type === 'external') {
    // A mark from kflex without a hosting cluster may belong to another hosting cluster.
    const ownContext = contextsOf(kubeconfig, name, hostingContext.name).find(
      (context) => hostingOf(kubeconfig.contexts.get(context)) !== undefined,
    );
    if (ownContext !== undefined) return seen(selectContext(kubeconfig, ownContext));
    return hidden(`no context of the kubeconfig is known to be that of ${name}`);
  }
  return through(await readAccess(controlPlane, hosting), (context) => ({
    ...context,
    inspection,
    writing,
  }));
}

/** How clients reach a space that KubeFlex runs: the kubeconfig in its Secret. @throws StellarError `forbidden` */
export async function readAccess(
  controlPlane: ControlPlane,
  hosting: Pick<Reader, 'get'>,
): Promise<Access<SelectedContext>> {
  const { name } = controlPlane.metadata;
  const type = typeOf(controlPlane);
  const keys = secretOf[type];
  if (keys?.outside === undefined)
    return hidden(`control planes of type ${type} are not known here`);
  const namespace = namespaceOf(name);
  const secret = await hosting.get<Secret>(resources.secrets, keys.name, { namespace });
  const source = `Secret ${namespace}/${keys.name}`;
  if (secret?.data?.[keys.outside] === undefined)
    return {
      state: 'absent',
      why: `${source} has no key ${keys.outside}: its API server is not running yet`,
    };
  return seen({
    ...(await contextFromCluster(textIn(secret, keys.outside), `in ${source}`)),
    name,
  });
}

/** Like accessSpace; users who may not read a space's Secret may have a context for it. */
export async function reachSpace(
  controlPlane: ControlPlane,
  tools: AccessTools,
): Promise<Access<SelectedContext>> {
  const access = await accessSpace(controlPlane, tools);
  const ownContext = errorOf(access) && contextFor(controlPlane, tools);
  return ownContext === undefined ? access : seen(selectContext(tools.kubeconfig, ownContext));
}

/** The kubeconfig's context for a space, if any. */
export function contextFor(
  controlPlane: ControlPlane,
  { hostingContext, kubeconfig }: Omit<AccessTools, 'hosting'>,
): string | undefined {
  if (typeOf(controlPlane) === 'host') return hostingContext.name;
  return contextsOf(kubeconfig, controlPlane.metadata.name, hostingContext.name)[0];
}

/**
 * The contexts of a kubeconfig for a control plane, best first: those marked with it, else one that kflex wrote without a mark,
 * identified by its names. Contexts for a control plane of the same name on another hosting cluster are excluded.
 * @param hosting the context of the hosting cluster
 */
export function contextsOf(
  kubeconfig: Kubeconfig,
  controlPlane: string,
  hosting: string,
): string[] {
  const isElsewhere = (noted: string | undefined) =>
    noted !== undefined && noted !== hosting && kubeconfig.contexts.has(noted);
  const marked = [...kubeconfig.contexts].filter(
    ([, context]) => controlPlaneOf(context) === controlPlane && !isElsewhere(hostingOf(context)),
  );
  const names = marked
    .map(([name]) => name)
    .sort((a, b) => Number(b === controlPlane) - Number(a === controlPlane));
  const named = kubeconfig.contexts.get(controlPlane);
  const isKflexs =
    controlPlaneOf(named) === undefined &&
    named?.cluster === `${controlPlane}-cluster` &&
    named.user === `${controlPlane}-admin`;
  return names.length === 0 && isKflexs ? [controlPlane] : names;
}

/**
 * The control plane that a context is marked with; undefined if it belongs to another hosting cluster, or to none that is known.
 * @param hosting the context of the hosting cluster
 */
export function controlPlaneMarked(
  context: string | undefined,
  kubeconfig: Kubeconfig,
  hosting: string | undefined,
): string | undefined {
  const name = context && controlPlaneOf(kubeconfig.contexts.get(context));
  return name && hosting && contextsOf(kubeconfig, name, hosting).includes(context)
    ? name
    : undefined;
}

/**
 * The contexts proven to belong to this hosting cluster's control plane: they are marked with it, or use its server.
 * @param server the server of the control plane; undefined if (no longer) known
 */
export function contextsCertainlyOf(
  kubeconfig: Kubeconfig,
  controlPlane: string,
  hosting: string,
  server: string | undefined,
): string[] {
  return contextsOf(kubeconfig, controlPlane, hosting).filter((name) => {
    const context = kubeconfig.contexts.get(name);
    const noted = hostingOf(context);
    // If the hosting cluster's context was renamed, the mark counts only while the control plane exists.
    if (noted !== undefined) return noted === hosting || server !== undefined;
    return (
      server !== undefined && kubeconfig.clusters.get(context?.cluster ?? '')?.server === server
    );
  });
}

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
    id: `${role}-context`,
    title: 'the contexts of the kubeconfig reach it',
    needs: [`${role}-reachable`],
    run: async (own) => unless(await brokenContext(own)),
  },
];

/**
 * Tries each context of a space with its own credentials, by reading the namespace kube-system, whose UID identifies the cluster.
 * Undefined if all work and none ends soon. A context of an external space is how the space is reached at all, and has no other source.
 */
export async function brokenContext({
  space,
  kube,
  tools,
}: OwnContexts): Promise<Problem | undefined> {
  if (space.type === 'external') return undefined;
  const { kubeconfig, hostingContext: hosting, connect } = tools;
  const uid = kube && (await clusterUid(kube).catch(() => undefined));
  const tried = contextsOf(kubeconfig, space.name, hosting.name).map(async (context) => {
    const { renewal } = stepsFor(context, space.role, kubeconfig);
    try {
      const selected = selectContext(kubeconfig, context);
      const own = connect(selected);
      const found = await clusterUid(own);
      if (uid === undefined || found === undefined || uid === found) {
        // What its Secret has as well is a finding of the space.
        const known = new Set(kube?.validities().map(({ to }) => to));
        const more = validitiesOf(selected.user).filter(({ to }) => !known.has(to));
        return endingProblem(`context ${context}`, more, own.now(), renewal ? [renewal] : []) ?? [];
      }
      return problem(
        'context-elsewhere',
        `The context ${context} leads to another cluster than ${space.name} of ${hosting.name}: their kube-system UIDs differ.`,
        ...(renewal ? [renewal] : []),
      );
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

/** @param kubeconfig one that may note this hosting cluster */
const hostingOption = (hosting: string, kubeconfig?: Kubeconfig) =>
  kubeconfig && hosting === hostingContext(kubeconfig) ? [] : ['--hosting-context', hosting];

/** The command that writes the context of a space, unless the kubeconfig has one of that name. */
const toWrite = (role: SpaceRole, name: string, hosting: string, kubeconfig: Kubeconfig) =>
  kubeconfig.contexts.has(name)
    ? undefined
    : command`stellarctl ${role} context ${name} ${hostingOption(hosting, kubeconfig)}`;

/** The step that shows how far a space is. @param hosting the context of its hosting cluster */
export const toSeeSpace = (
  role: SpaceRole,
  name: string,
  hosting: string,
  kubeconfig?: Kubeconfig,
) =>
  run(
    command`stellarctl ${role} get ${name} ${hostingOption(hosting, kubeconfig)}`,
    'See its stages',
  );

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
  const hosting = hostingOf(entry) ?? hostingContext(kubeconfig) ?? '';
  const isWritten =
    entry?.cluster === `${name}-cluster` && (context === name || entry.user === `${name}-admin`);
  if (!kubeconfig.contexts.has(hosting) || !contextsOf(kubeconfig, name, hosting).includes(context))
    return {};
  return {
    inspection: toSeeSpace(role, name, hosting, kubeconfig),
    renewal: isWritten
      ? run(
          command`stellarctl ${role} context ${name} ${hostingOption(hosting, kubeconfig)}`,
          'Write its present address and credentials',
        )
      : undefined,
  };
}
