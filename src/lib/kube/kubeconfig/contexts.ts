import type { Waiting } from '../../core/deadline.ts';
import { StellarError } from '../../core/errors.ts';
import { advice, command, partial, run } from '../../core/next-step.ts';
import { isObject } from '../../core/text/formats.ts';
import { editKubeconfig, type KubeconfigDraft, type KubeconfigTarget } from './edit.ts';
import type { Entry } from './entries.ts';
import { withoutCredentials } from './kubeconfig.ts';

/** Part of a context: an entry to write, or, with a name alone, an existing one. */
interface Reference {
  name: string;
  entry?: Entry | undefined;
}

/** Makes a program's extension of a context from its previous value (undefined at first). */
export type ExtensionEdit = (present: unknown) => unknown;

/** An existing context, with its server's address if its cluster is defined. */
export interface PresentContext {
  name: string;
  entry: Entry;
  server: string | undefined;
}

export interface ContextToSet {
  context: string;
  cluster: Reference;
  user: Reference;
  /** By name; other extensions of the context do not change. */
  extensions?: Record<string, ExtensionEdit> | undefined;
  /** Default: only if no context is current. */
  makeCurrent?: boolean | undefined;
  /** Whether an existing context with our name may be replaced although it points to another server. Default: no. */
  isOurs?: ((present: PresentContext) => boolean) | undefined;
}

/**
 * Writes a context with its cluster and user to a kubeconfig, or updates an existing one. In existing entries, only the fields that
 * describe the connection are replaced. A rerun changes nothing.
 * @returns the file that defines the context, and whether anything differed
 * @throws StellarError `context-taken` for names that point elsewhere, and errors of editKubeconfig
 */
export async function setContext(
  target: KubeconfigTarget,
  wanted: ContextToSet,
  waiting: Waiting,
): Promise<{ file: string; changed: boolean }> {
  const { context, cluster, user, extensions = {}, makeCurrent } = wanted;
  let file = '';
  const changed = await editKubeconfig(
    target,
    (draft) => {
      requirePresent(draft, 'clusters', cluster);
      requirePresent(draft, 'users', user);
      refuseTaken(draft, wanted);
      if (cluster.entry !== undefined)
        draft.set(
          'clusters',
          cluster.name,
          renewed(draft.get('clusters', cluster.name), cluster.entry, trustFields),
        );
      if (user.entry !== undefined)
        draft.set(
          'users',
          user.name,
          renewed(draft.get('users', user.name), user.entry, credentialFields),
        );
      const entry: Entry = {
        ...draft.get('contexts', context),
        cluster: cluster.name,
        user: user.name,
      };
      for (const [name, edit] of Object.entries(extensions))
        entry.extensions = editedExtensions(entry.extensions, name, edit);
      draft.set('contexts', context, entry);
      if (makeCurrent ?? draft.currentContext === undefined) draft.currentContext = context;
      file = draft.fileOf('contexts', context) as string;
    },
    waiting,
  );
  return { file, changed };
}

function requirePresent(
  draft: KubeconfigDraft,
  list: 'clusters' | 'users',
  { name, entry }: Reference,
) {
  if (entry !== undefined || draft.get(list, name) !== undefined) return;
  throw new StellarError(
    'kubeconfig-invalid',
    `The kubeconfig has no "${name}" among its ${list}.`,
  );
}

/** Alternative fields of a cluster: a leftover one would contradict the new one. */
const trustFields = [
  'certificate-authority',
  'certificate-authority-data',
  'insecure-skip-tls-verify',
];
/** The same for a user. */
const credentialFields = [
  'client-certificate',
  'client-certificate-data',
  'client-key',
  'client-key-data',
  'token',
  'tokenFile',
  'username',
  'password',
  'auth-provider',
  'exec',
];

function renewed(present: Entry | undefined, entry: Entry, replaced: readonly string[]): Entry {
  const kept = Object.entries(present ?? {}).filter(([key]) => !replaced.includes(key));
  return { ...Object.fromEntries(kept), ...entry };
}

/** A list of extensions with one of them edited; the others do not change. */
export function editedExtensions(list: unknown, name: string, edit: ExtensionEdit): unknown {
  const present = Array.isArray(list) ? list : [];
  const index = present.findIndex((item) => isObject(item) && item.name === name);
  const extension = edit(index === -1 ? undefined : present[index].extension);
  if (extension === undefined) return index === -1 ? list : present.toSpliced(index, 1);
  return index === -1
    ? [...present, { extension, name }]
    : present.with(index, { ...present[index], extension });
}

/** Names that point to another server are in use: replacing them would lose the access to a cluster. */
function refuseTaken(draft: KubeconfigDraft, wanted: ContextToSet) {
  const { context, cluster, user, isOurs = () => false } = wanted;
  const server = serverOf(cluster.entry ?? draft.get('clusters', cluster.name));
  const serverAt = ({ cluster }: Entry) => serverOf(draft.get('clusters', String(cluster)));
  const others = [...draft.entries('contexts')]
    .map(([name, entry]): PresentContext => ({ name, entry, server: serverAt(entry) }))
    .filter(
      (present) => present.server !== undefined && present.server !== server && !isOurs(present),
    );

  const same = others.find(({ name }) => name === context);
  if (same !== undefined) throw contextTaken(draft, wanted, `context "${context}"`, same);
  const ofCluster = cluster.entry && others.find(({ entry }) => entry.cluster === cluster.name);
  if (ofCluster !== undefined)
    throw contextTaken(draft, wanted, `cluster "${cluster.name}"`, ofCluster);
  const ofUser = user.entry && others.find(({ entry }) => entry.user === user.name);
  if (ofUser !== undefined) throw contextTaken(draft, wanted, `user "${user.name}"`, ofUser);
}

function contextTaken(
  draft: KubeconfigDraft,
  wanted: ContextToSet,
  what: string,
  present: PresentContext,
) {
  const { name, entry } = present;
  const by = name === wanted.context ? '' : `, which the context ${name} uses`;
  // A renamed context keeps its cluster and user.
  const canBeRenamed = entry.cluster !== wanted.cluster.name && entry.user !== wanted.user.name;
  const next = canBeRenamed
    ? [
        partial(
          command`kubectl config rename-context ${name} NEW-NAME`,
          'Keep it under another name',
        ),
      ]
    : [
        run(command`kubectl config delete-context ${name}`, 'If it is not needed'),
        advice('Else keep the new one in another file: --kubeconfig FILE'),
      ];
  const has = `${draft.fileOf('contexts', name)} has the ${what} already${by} for another cluster`;
  return new StellarError(
    'context-taken',
    `${has} (${shown(present.server)}); it was not replaced.`,
    ...next,
  );
}

function serverOf(cluster: Entry | undefined) {
  return typeof cluster?.server === 'string' && cluster.server !== ''
    ? cluster.server.replace(/\/+$/, '')
    : undefined;
}

function shown(server: string | undefined) {
  return server !== undefined && URL.canParse(server) ? withoutCredentials(server) : 'no address';
}

/**
 * Removes a context, with its cluster and user if no other context uses them. If it was the current context, the current context
 * becomes `restore` if that context exists, else none. A context that is not found is no error.
 */
export async function removeContext(
  target: KubeconfigTarget,
  name: string,
  waiting: Waiting,
  restore?: string,
): Promise<void> {
  await editKubeconfig(
    target,
    (draft) => {
      const entry = draft.get('contexts', name);
      if (entry !== undefined) {
        draft.remove('contexts', name);
        removeUnused(draft, 'clusters', 'cluster', entry.cluster);
        removeUnused(draft, 'users', 'user', entry.user);
      }
      if (draft.currentContext !== name) return;
      const isThere = restore !== undefined && draft.get('contexts', restore) !== undefined;
      draft.currentContext = isThere ? restore : undefined;
    },
    waiting,
  );
}

function removeUnused(
  draft: KubeconfigDraft,
  list: 'clusters' | 'users',
  key: string,
  name: unknown,
) {
  const isUsed = draft.definitions('contexts').some(([, context]) => context[key] === name);
  if (typeof name === 'string' && !isUsed) draft.remove(list, name);
}
