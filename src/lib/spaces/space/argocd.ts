import { type Check, pass, skipped, unless } from '../../core/checks.ts';
import { StellarError } from '../../core/errors.ts';
import { advice, command, run } from '../../core/next-step.ts';
import { jsonObject } from '../../core/text/formats.ts';
import { tryRead } from '../../kube/access.ts';
import type { Kube } from '../../kube/client/client.ts';
import { certificateAuthorityOf } from '../../kube/client/credentials.ts';
import { describeCluster } from '../../kube/client/errors.ts';
import { type KubeObject, resources, type Secret, textIn } from '../../kube/client/objects.ts';
import { endingProblem, validitiesOf } from '../../kube/client/validity.ts';
import { contextFromCluster } from '../../kube/kubeconfig/kubeconfig.ts';
import { listServed } from '../../kube/served.ts';
import { deleteObjects, proving } from '../../kube/writes.ts';
import { namespaceOf, secretOf } from '../../ocm/model/kubeflex-names.ts';
import type { ControlPlane } from '../../ocm/model/kubeflex-objects.ts';
import { isOurs, managedBy, managedByLabel } from '../../ocm/model/ocm-names.ts';
import { typeOf } from './spaces.ts';

/** The clusters of Argo CD are Secrets with this label (Argo CD, docs/operator-manual/declarative-setup.md, "Clusters"). */
export const ofClusters = 'argocd.argoproj.io/secret-type=cluster';

/**
 * Prepares the Secret by which Argo CD knows a WDS, at its address for pods of the hosting cluster. The control plane owns it.
 * @param access its name @returns the Secret with a token
 * @throws StellarError `usage` for a WDS that is the cluster of Argo CD itself, `name-taken` if Argo CD knows it by another Secret, or another program has one of this name
 */
export async function argoCdSecret(
  access: string,
  { apiVersion, kind, ...wds }: ControlPlane,
  namespace: string,
  hosting: Kube,
) {
  const { name, uid } = wds.metadata;
  const { name: source = '', inside = '' } = secretOf.k8s ?? {};
  const found = await hosting.get<Secret>(resources.secrets, source, {
    namespace: namespaceOf(name),
  });
  if (typeOf(wds) !== 'k8s' || found === undefined)
    throw new StellarError(
      'usage',
      `${name} is not a WDS of type k8s: Argo CD knows the hosting cluster as in-cluster.`,
    );
  const { server, cluster } = await contextFromCluster(textIn(found, inside), `of ${name}`);
  if ((await hosting.get(resources.namespaces, namespace)) === undefined)
    throw new StellarError(
      'not-found',
      `${hosting.cluster.context} has no namespace ${namespace}, as that of Argo CD.`,
    );
  const present = await proving(hosting).get<Secret>(resources.secrets, access, { namespace });
  if (present !== undefined && !isOurs(present))
    throw new StellarError(
      'name-taken',
      `Secret ${namespace}/${access} of ${describeCluster(hosting.cluster)} was not created by stellarctl. Nothing was written.`,
      advice('Name somebody: --for NAME'),
    );
  const all = await listServed<Secret>(hosting, resources.secrets, {
    namespace,
    labelSelector: ofClusters,
  });
  const other = all.find(
    (each) => textIn(each, 'server') === server && each.metadata.name !== access,
  )?.metadata.name;
  if (other !== undefined)
    throw new StellarError(
      'name-taken',
      `Argo CD knows ${name} already, by Secret ${namespace}/${other}.`,
    );
  const caData = Buffer.from(certificateAuthorityOf(cluster) ?? '').toString('base64');
  const metadata = {
    name: access,
    namespace,
    labels: { 'argocd.argoproj.io/secret-type': 'cluster', [managedByLabel]: managedBy },
    ownerReferences: [{ apiVersion, kind, name, uid }],
  };
  return (token: string) => {
    const config = JSON.stringify({ bearerToken: token, tlsClientConfig: { caData } });
    const data = Object.fromEntries(
      Object.entries({ name, server, config }).map(([key, text]) => [
        key,
        Buffer.from(text).toString('base64'),
      ]),
    );
    return { apiVersion: 'v1', kind: 'Secret', metadata, data } as KubeObject;
  };
}

/** The Secrets that stellarctl has written for Argo CD, for a WDS or of an access. */
async function secretsOf(named: string, hosting: Kube): Promise<Secret[]> {
  const labelSelector = `${ofClusters},${managedByLabel}=${managedBy}`;
  const all = await listServed<Secret>(hosting, resources.secrets, { labelSelector });
  return all.filter((each) => [textIn(each, 'name'), each.metadata.name].includes(named));
}

/** Removes what Argo CD has of an access to a WDS: of a deployer, see `wds context --argocd`. */
export async function removeFromArgoCd(
  { name, space, role }: { name: string; space: string; role: string },
  hosting: Kube,
): Promise<void> {
  if (role !== 'deployer') return;
  const all = await secretsOf(name, hosting);
  const ofSpace = all.filter((each) => textIn(each, 'name') === space);
  await deleteObjects(hosting, resources.secrets, ofSpace);
}

/** The check of what Argo CD has for a WDS. */
export const argoCdChecks: readonly Check<{ space: { name: string }; hosting: Kube }>[] = [
  {
    id: 'wds-argocd',
    title: 'the credentials of Argo CD for it do not end soon',
    async run({ space: { name }, hosting }) {
      const secrets = await tryRead(() => secretsOf(name, hosting));
      if (secrets.state !== 'seen') return skipped(secrets.why);
      for (const secret of secrets.value) {
        const { name: access, namespace = '' } = secret.metadata;
        const token = String(jsonObject(textIn(secret, 'config'))?.bearerToken);
        const who = access.slice(name.length + 1, -'-deployer'.length);
        const renew = command`stellarctl wds context ${name} --role deployer ${who ? ['--for', who] : []} --argocd ${namespace}`;
        const ending = endingProblem(
          `Argo CD for ${name}`,
          validitiesOf({ token }),
          hosting.now(),
          [run(renew)],
        );
        if (ending !== undefined) return unless(ending);
      }
      return pass();
    },
  },
];
