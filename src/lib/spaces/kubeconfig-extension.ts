import type { ContextToSet, ExtensionEdit, PresentContext } from '../kube/kubeconfig/contexts.ts';
import type { KubeconfigTarget } from '../kube/kubeconfig/edit.ts';
import { type Entry, isEntry } from '../kube/kubeconfig/entry.ts';
import type { ContextEntry, Kubeconfig } from '../kube/kubeconfig/kubeconfig.ts';
import type { Waiting } from '../kube/kubeconfig/lock.ts';

/**
 * What KubeFlex's own command line, kflex, keeps in kubeconfigs: extensions called `kubeflex`, each a ConfigMap without its kind,
 * at the top and at contexts. Source: kubeflex v0.9.3, pkg/kubeconfig/extensions.go; the legacy one: v0.8.
 */
const extensionName = 'kubeflex';
const hostingContextKey = 'hosting-cluster-ctx-name';
const isHostingKey = 'is-hosting-cluster-ctx';
const controlPlaneKey = 'controlplane-name';
const legacyExtensionName = 'kflex-config-extension-name';
const legacyHostingKey = 'kflex-initial-ctx-name';

/** The hosting cluster's context as kflex or stellarctl has noted it. Undefined where none is, or where it does not exist any more. */
export function hostingContext({ extensions, preferenceExtensions, contexts }: Kubeconfig): string | undefined {
  const top = dataOf(extensions.get(extensionName));
  const marked = [...contexts].filter(([, context]) => contextData(context)[isHostingKey] === 'true');
  const candidates = [
    top[hostingContextKey],
    top[legacyHostingKey],
    ...(marked.length === 1 ? marked.map(([name]) => name) : []),
    dataOf(preferenceExtensions.get(legacyExtensionName))[legacyHostingKey],
  ];
  return candidates.find((name) => name !== undefined && contexts.has(name));
}

/** The control plane that a context is for, as kflex or stellarctl has noted it. */
export function controlPlaneOf(context: ContextEntry | Entry | undefined): string | undefined {
  return contextData(context)[controlPlaneKey];
}

/**
 * The context of the hosting cluster whose control plane a context is for. Only stellarctl notes it: control planes of several hosting
 * clusters may have the same name.
 */
export function hostingOf(context: ContextEntry | Entry | undefined): string | undefined {
  return contextData(context)[hostingContextKey];
}

/** For setContext: notes which control plane a context is for, and lets contexts of that control plane be replaced. */
export function forControlPlane(name: string, hosting: string): Required<Pick<ContextToSet, 'extensions' | 'isOurs'>> {
  return {
    extensions: { [extensionName]: withData({ [controlPlaneKey]: name, [hostingContextKey]: hosting }) },
    // One that kflex has written does not tell its hosting cluster: it may be that of another one, and is not replaced.
    isOurs: ({ entry }: PresentContext) => controlPlaneOf(entry) === name && hostingOf(entry) === hosting,
  };
}

/** For setContext: takes the note off a context that stays although the control plane goes. */
export const forNoControlPlane: Pick<ContextToSet, 'extensions'> = {
  extensions: {
    [extensionName]: (present) => {
      const rest = withData({ [controlPlaneKey]: undefined, [hostingContextKey]: undefined })(present);
      return Object.keys(dataOf(rest)).length === 0 ? undefined : rest;
    },
  },
};

/**
 * Notes which context is the hosting cluster's, as `kflex init` does: at the top, and at the context. kflex knows of one only, so
 * that the mark is taken off any other.
 * @returns whether it was not noted yet
 * @throws what editKubeconfig throws
 */
export async function markHostingContext(target: KubeconfigTarget, name: string, waiting: Waiting): Promise<boolean> {
  // Whoever only reads needs no package for YAML.
  const { editedExtensions } = await import('../kube/kubeconfig/contexts.ts');
  const { editKubeconfig } = await import('../kube/kubeconfig/edit.ts');
  const { written } = await editKubeconfig(
    target,
    (draft) => {
      const top = withData({ [hostingContextKey]: name });
      draft.set('extensions', extensionName, top(draft.get('extensions', extensionName)) as Entry);
      for (const [context, entry] of draft.entries('contexts')) {
        const isHosting = contextData(entry)[isHostingKey] === 'true';
        if (isHosting === (context === name)) continue;
        const edit = withData({ [isHostingKey]: isHosting ? undefined : 'true' });
        draft.set('contexts', context, {
          ...entry,
          extensions: editedExtensions(entry.extensions, extensionName, edit),
        });
      }
    },
    waiting,
  );
  return written.length > 0;
}

/** Sets (or, with undefined, removes) data in an extension of kflex's layout; what else is in it stays. */
function withData(changes: Record<string, string | undefined>): ExtensionEdit {
  return (present) => {
    const entry = isEntry(present) ? present : {};
    const all = { ...(isEntry(entry.data) ? entry.data : {}), ...changes };
    const data = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
    return { ...entry, data, metadata: { creationTimestamp: now(), name: extensionName, ...metadataOf(entry) } };
  };
}

/** As Kubernetes writes times. */
const now = () => new Date().toISOString().replace(/\.\d+Z$/, 'Z');

const metadataOf = ({ metadata }: Entry): Entry => (isEntry(metadata) ? metadata : {});

function contextData(context: ContextEntry | Entry | undefined): Record<string, string | undefined> {
  const list = Array.isArray(context?.extensions) ? context.extensions : [];
  return dataOf(list.find((item) => isEntry(item) && item.name === extensionName)?.extension);
}

function dataOf(extension: unknown): Record<string, string | undefined> {
  const data = isEntry(extension) && isEntry(extension.data) ? extension.data : {};
  return Object.fromEntries(Object.entries(data).filter(([, value]) => typeof value === 'string')) as Record<
    string,
    string
  >;
}
