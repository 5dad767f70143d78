import { failureOf, StellarError } from '../core/errors.ts';
import { advice, command, run as nextStep } from '../core/next-step.ts';
import type { Run } from '../core/run.ts';
import { errorOf, whyUnseen } from '../kube/access.ts';
import { setContext } from '../kube/kubeconfig/contexts.ts';
import {
  type KubeconfigTarget,
  makeFolderOf,
  requireReplaceable,
  statIfPresent,
} from '../kube/kubeconfig/edit.ts';
import { loadKubeconfig } from '../kube/kubeconfig/kubeconfig.ts';
import type { SpaceRole } from '../ocm/model/kubeflex-names.ts';
import { portable } from './bootstrap.ts';
import { requireSpace } from './get-space.ts';
import { forControlPlane, type SpaceTools } from './hosting/hosting.ts';
import { type AccessRequest, accessName, giveAccess } from './roles/access.ts';
import { argoCdSecret } from './space/argocd.ts';
import { accessSpace, contextsOf, toSeeSpace } from './space/space-access.ts';
import { typeOf } from './space/spaces.ts';
import { knownEntries, ownEntries, writeSpaceContext } from './space-work.ts';

/** The written context of a space. The fields are a public interface: docs/output.md. */
export type WrittenContext = Awaited<ReturnType<typeof writeContext>>;

/**
 * Writes the context of an existing space.
 * @param given.exportTo a separate kubeconfig; undefined for the user's kubeconfig
 * @param given.makeCurrent makes it the current context; otherwise it becomes that only if there is none
 * @throws StellarError `not-found`, `unreachable` while the space has no address or credentials, `context-taken`, `file-error`
 */
export async function writeContext(
  given: {
    name: string;
    role: SpaceRole;
    exportTo: string | undefined;
    makeCurrent?: true | undefined;
  },
  tools: SpaceTools,
  run: Run,
) {
  const { name, role, exportTo, makeCurrent } = given;
  const { type, context } = await reachToShare(name, role, tools);
  const known = exportTo === undefined ? await knownEntries(name, type, tools) : undefined;
  if (exportTo !== undefined) await requireExportable(exportTo, name, name, tools);
  const to = exportTo === undefined ? tools : { ...tools, target: exportTarget(exportTo, tools) };
  const entries = known ?? ownEntries(name, context);
  const { changed, file } = await writeSpaceContext(name, { ...entries, makeCurrent }, to, run);
  return { name, type, context: name, server: context.server, file, changed };
}

/**
 * Gives access with a role to an existing space. Its token is in a kubeconfig of its own, because a context of this user would not be
 * used with it, or in a Secret for Argo CD.
 * @param given.seconds the lifetime to ask for @param given.argocd the namespace of Argo CD
 * @throws StellarError like writeContext, and `usage`, `name-taken`
 */
export async function shareAccess(
  given: AccessRequest & { seconds: number; exportTo: string; argocd: string | undefined },
  tools: SpaceTools,
  run: Run,
) {
  const { space, seconds, exportTo, argocd } = given;
  const { hosting, hostingContext } = tools;
  const { name } = space;
  const context = accessName(given);
  const { controlPlane, type, context: from } = await reachToShare(name, space.role, tools);
  const secret =
    argocd === undefined ? undefined : await argoCdSecret(context, controlPlane, argocd, hosting);
  if (secret === undefined) await requireExportable(exportTo, context, name, tools);
  const cluster = { name: `${context}-cluster`, entry: portable(from) };
  const { token, ...access } = await giveAccess(given, seconds, tools.connect(from));
  const shared = { name, type, ...access };
  if (secret !== undefined) {
    await hosting.apply(secret(token));
    return { ...shared, secret: `${argocd}/${context}`, changed: true };
  }
  const entries = { context, cluster, user: { name: context, entry: { token } } };
  const mark = forControlPlane(name, hostingContext.name);
  const { changed, file } = await setContext(
    exportTarget(exportTo, tools),
    { ...entries, ...mark },
    run,
  ).catch((error: unknown) => {
    throw failureOf(error).with({
      details: [`${context} has its rights in ${name} already; no file has its token.`],
      next: [nextStep(command`stellarctl access revoke ${context} --in ${name}`, 'Take them back')],
    });
  });
  return { ...shared, context, server: cluster.entry.server, file, changed };
}

const exportTarget = (file: string, { target }: SpaceTools): KubeconfigTarget => ({
  ...target,
  file,
  isExport: true,
});

/** Reaches a space whose context is to be written. @throws StellarError like writeContext */
export async function reachToShare(name: string, role: SpaceRole, tools: SpaceTools) {
  const { hosting } = tools;
  const { controlPlane } = await requireSpace(name, role, hosting);
  const access = await accessSpace(controlPlane, tools);
  if (access.state !== 'seen') {
    throw (
      errorOf(access) ??
      new StellarError(
        'unreachable',
        `${name} has no context yet: ${whyUnseen(access)}.`,
        toSeeSpace(role, name, hosting.cluster.context),
      )
    );
  }
  return { type: typeOf(controlPlane), controlPlane, context: access.value };
}

/**
 * Requires an exported file to be writable, this user's, and empty or an earlier export of this space: who owns it will own the
 * credentials.
 * @throws StellarError `file-error`, `kubeconfig-invalid`
 */
async function requireExportable(
  file: string,
  context: string,
  name: string,
  { hostingContext, target }: SpaceTools,
) {
  if (file === '-') throw new StellarError('usage', '--export writes a file, and not to stdout.');
  const stats = statIfPresent(file);
  const next = [advice('Give another file: --export FILE')];
  const isForeign = process.getuid !== undefined && stats && stats.uid !== process.getuid();
  const why = isForeign ? 'belongs to another user' : 'is not a file';
  if (stats?.isFile() === false || isForeign)
    throw new StellarError('file-error', `${file} ${why}; it was not changed.`, ...next);
  try {
    if (!target.dryRun) makeFolderOf(file);
    requireReplaceable(file);
  } catch (error) {
    throw failureOf(error).with({ next });
  }
  if (stats === undefined) return;
  const present = await loadKubeconfig(file);
  const { contexts, clusters, users } = present;
  if (contexts.size + clusters.size + users.size === 0) return;
  if (contexts.size === 1 && contextsOf(present, name, hostingContext.name)[0] === context) return;
  throw new StellarError(
    'file-error',
    `${file} exists and is not an exported kubeconfig of ${context}; it was not changed.`,
    ...next,
  );
}
