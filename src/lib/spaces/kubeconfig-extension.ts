import { isObject } from '../core/is-object.ts';
import type { ContextToSet, ExtensionEdit, PresentContext } from '../kube/kubeconfig/contexts.ts';
import type { Entry } from '../kube/kubeconfig/document.ts';
import type { KubeconfigTarget } from '../kube/kubeconfig/edit.ts';
import type { ContextEntry, Kubeconfig } from '../kube/kubeconfig/kubeconfig.ts';
import type { Waiting } from '../kube/kubeconfig/replace.ts';

/**
 * The data that KubeFlex's command line, kflex, stores in kubeconfigs: extensions named `kubeflex`, each a ConfigMap without its
 * kind, at the top level and at contexts. Source: kubeflex v0.9.3, pkg/kubeconfig/extensions.go; the legacy one: v0.8.
 */
const extensionName = 'kubeflex';
const hostingContextKey = 'hosting-cluster-ctx-name';
const isHostingKey = 'is-hosting-cluster-ctx';
const controlPlaneKey = 'controlplane-name';
const legacyHostingKey = 'kflex-initial-ctx-name';

/** The hosting cluster's context as recorded by kflex or stellarctl; undefined if none is recorded or it no longer exists. */
export function hostingContext({ extensions, contexts }: Kubeconfig): string | undefined {
  const top = dataOf(extensions.get(extensionName));
  const marked = [...contexts].filter(([, context]) => contextData(context)[isHostingKey] === 'true');
  const candidates = [
    top[hostingContextKey],
    top[legacyHostingKey],
    ...(marked.length === 1 ? marked.map(([name]) => name) : []),
  ];
  return candidates.find((name) => name !== undefined && contexts.has(name));
}

/** The control plane of a context, as recorded by kflex or stellarctl. */
export function controlPlaneOf(context: ContextEntry | Entry | undefined): string | undefined {
  return contextData(context)[controlPlaneKey];
}

/**
 * The hosting cluster's context for the control plane of a context. Only stellarctl records it: control planes of several hosting
 * clusters may have the same name.
 */
export function hostingOf(context: ContextEntry | Entry | undefined): string | undefined {
  return contextData(context)[hostingContextKey];
}

/** For setContext: marks a context with its control plane, and allows replacing contexts of that control plane. */
export function forControlPlane(name: string, hosting: string): Required<Pick<ContextToSet, 'extensions' | 'isOurs'>> {
  return {
    extensions: { [extensionName]: withData({ [controlPlaneKey]: name, [hostingContextKey]: hosting }) },
    // A context from kflex does not record its hosting cluster. It may belong to another one, and is not replaced.
    isOurs: ({ entry }: PresentContext) => controlPlaneOf(entry) === name && hostingOf(entry) === hosting,
  };
}

/** For setContext: removes the mark from a context that is kept when the control plane is deleted. */
export const forNoControlPlane: Pick<ContextToSet, 'extensions'> = {
  extensions: {
    [extensionName]: (present) => {
      const rest = withData({ [controlPlaneKey]: undefined, [hostingContextKey]: undefined })(present);
      return Object.keys(dataOf(rest)).length === 0 ? undefined : rest;
    },
  },
};

/**
 * Marks the hosting cluster's context, as `kflex init` does: at the top level, and at the context. kflex supports only one, and the
 * mark is removed from any other.
 * @returns whether the mark is new
 * @throws what editKubeconfig throws
 */
export async function markHostingContext(target: KubeconfigTarget, name: string, waiting: Waiting): Promise<boolean> {
  // Load the YAML package only for writes.
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

/** Sets (or, with undefined, removes) data in an extension of kflex's layout; other data is kept. */
function withData(changes: Record<string, string | undefined>): ExtensionEdit {
  return (present) => {
    const entry = isObject(present) ? present : {};
    const all = { ...(isObject(entry.data) ? entry.data : {}), ...changes };
    const data = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
    return { ...entry, data, metadata: { creationTimestamp: now(), name: extensionName, ...metadataOf(entry) } };
  };
}

/** The time in Kubernetes' format. */
const now = () => new Date().toISOString().replace(/\.\d+Z$/, 'Z');

const metadataOf = ({ metadata }: Entry): Entry => (isObject(metadata) ? metadata : {});

function contextData(context: ContextEntry | Entry | undefined): Record<string, string | undefined> {
  const list = Array.isArray(context?.extensions) ? context.extensions : [];
  return dataOf(list.find((item) => isObject(item) && item.name === extensionName)?.extension);
}

function dataOf(extension: unknown): Record<string, string | undefined> {
  const data = isObject(extension) && isObject(extension.data) ? extension.data : {};
  return Object.fromEntries(Object.entries(data).filter(([, value]) => typeof value === 'string')) as Record<
    string,
    string
  >;
}
