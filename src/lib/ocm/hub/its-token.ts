import { StellarError } from '../../core/errors.ts';
import { advice, command } from '../../core/next-step.ts';
import type { Kube } from '../../kube/client/client.ts';
import { type KubeObject, resources, typeMeta } from '../../kube/client/objects.ts';
import { hostOf } from '../../kube/client/proxy.ts';
import { bootstrapServiceAccount, operatorNamespace } from '../model/ocm-names.ts';
import { isThisMachine, requireHttps } from './endpoint.ts';
import {
  inspectHub,
  type JoinFile,
  requestBootstrapToken,
  shortestTokenSeconds,
} from './hub-access.ts';
import { hasJoined, readWholeHub } from './hub-evidence.ts';
import type { Its } from './its.ts';

/** Refuses invalid requests before any request to the ITS. @throws StellarError `usage` */
export function checkTokenRequest(durationMs: number, wouldPrintForPeople = false): void {
  if (durationMs < shortestTokenSeconds * 1000) {
    throw new StellarError(
      'usage',
      `A token is valid for at least ${shortestTokenSeconds / 60}m; the API server refuses a shorter --duration.`,
    );
  }
  if (wouldPrintForPeople) {
    throw new StellarError(
      'usage',
      'Choose where the token goes: it is not printed by default.',
      ...['Into a file: --file FILE', 'to stdout: -o json', 'for clusteradm: --clusteradm'].map(
        advice,
      ),
    );
  }
}

/** Requests a bootstrap token and combines it with what a WEC needs to know of this ITS. @throws StellarError `not-a-hub` */
export async function makeJoinFile(its: Its, durationMs: number): Promise<JoinFile> {
  const hub = await inspectHub(its);
  const { name } = its.context;
  const { token, expires } = await requestBootstrapToken(its.kube, Math.floor(durationMs / 1000));
  return {
    kind: 'stellarctl-join-file',
    version: 1,
    its: name,
    token,
    expires: expires.toISOString(),
    ...hub,
    external: requireHttps(name, hub.external),
  };
}

/**
 * The clusteradm command that joins a WEC in mode Singleton, as in KubeStellar's documentation; the user replaces `<cluster_name>`.
 * If the ITS is local to this machine, clusteradm must look up its other address.
 */
export async function clusteradmLine({ token, external }: JoinFile): Promise<string> {
  const lookup = (await isThisMachine(hostOf(new URL(external.server))))
    ? ['--force-internal-endpoint-lookup']
    : [];
  return command`clusteradm join --hub-token ${token} --hub-apiserver ${external.server} --cluster-name <cluster_name> --singleton ${lookup}`;
}

/** The bootstrap tokens of an ITS, as something to revoke. */
export interface BootstrapAccess {
  hub: Kube;
  account: KubeObject | undefined;
  /** WECs that have not joined yet: their agents need a new token. */
  joining: string[];
}

/** @throws StellarError `not-a-hub`, `not-found` */
export async function readBootstrap(hub: Kube): Promise<BootstrapAccess> {
  const [evidence, account] = await Promise.all([
    readWholeHub(hub),
    hub.get(resources.serviceAccounts, bootstrapServiceAccount, { namespace: operatorNamespace }),
  ]);
  const joining = [...evidence.values()].filter((wec) => !hasJoined(wec)).map(({ name }) => name);
  return { hub, account, joining: joining.sort() };
}

/**
 * Ends all bootstrap tokens of an ITS. Tokens are those of one service account, by its UID: it is deleted and made anew, with the same
 * name, which the rights are bound to. A rerun after an interruption makes it.
 */
export async function revokeBootstrap({ hub, account }: BootstrapAccess): Promise<void> {
  const { labels = {}, annotations = {} } = account?.metadata ?? {};
  const metadata = {
    name: bootstrapServiceAccount,
    namespace: operatorNamespace,
    labels,
    annotations,
  };
  if (account !== undefined) await hub.delete(resources.serviceAccounts, account);
  await hub.apply({ ...typeMeta(resources.serviceAccounts), metadata });
}
