import { Authority } from '../../plane/pki.ts';
import type { Fault } from '../fault.ts';
import { type FaultRow, row } from '../row.ts';
import type { Scene } from '../scene.ts';

/** The operator's message about a hub that it could not query. */
const unreached = /^BootstrapSecretError,HubKubeConfigSecretMissing$/;

type Wrong = Parameters<Scene['install']>[0];

/** A klusterlet with an invalid bootstrap kubeconfig, or a fault about it, and the operator's message. */
const installed =
  (message: RegExp, { wrong, fault }: { wrong?: (scene: Scene) => Wrong; fault?: (scene: Scene) => Fault }) =>
  async (scene: Scene) => {
    if (fault) await scene.fault(fault(scene));
    await scene.install(wrong?.(scene));
    await scene.untilConnection(unreached, message);
    await scene.untilRunning();
  };

const network = (kind: 'unresolvable' | 'refused' | 'swallowed') => ({
  fault: ({ hub, wec }: Scene) => ({ kind, host: hub.nodeName, from: wec.name }),
});

/** A klusterlet that has never reached its hub, which has no objects of it. */
export const reachingTheHub: readonly FaultRow[] = [
  row(
    'wrong-url',
    "The bootstrap kubeconfig has the hub's address for this machine, which is the pod itself in a pod",
    installed(/dial tcp 127\.0\.0\.1:\d+: connect: connection refused/, {
      wrong: ({ hub }) => ({ server: hub.server }),
    }),
  ),
  row(
    'name-unresolvable',
    "The managed cluster's DNS does not know the hub's name",
    installed(/no such host/, network('unresolvable')),
  ),
  row(
    'connection-refused',
    'Nobody listens at the address of the hub',
    installed(/connection refused/, network('refused')),
  ),
  row(
    'firewall',
    'A firewall swallows what the managed cluster sends to the hub; seen after 30 s',
    installed(/i\/o timeout/, network('swallowed')),
  ),
  row('wrong-ca', "The bootstrap kubeconfig trusts another CA than the hub's", async (scene) => {
    const { certPem } = await Authority.create('somebody-else');
    await installed(/unknown authority/, { wrong: () => ({ caPem: certPem }) })(scene);
  }),
  row(
    'missing-ca',
    'The bootstrap kubeconfig names no CA',
    installed(/unknown authority/, { wrong: () => ({ caPem: '' }) }),
  ),
  row(
    'certificate-of-other-name',
    "The hub's certificate is for other names than the one it is called by",
    installed(/x509: certificate is valid for .*, not /, {
      fault: ({ hub }) => ({ kind: 'misnamed', plane: hub.name }),
    }),
    { isHubs: true },
  ),
  row('bootstrap-secret-missing', 'The managed cluster has no bootstrap Secret', async (scene) => {
    await scene.install('no Secret');
    await scene.untilConnection(/^BootstrapSecretMissing,HubKubeConfigSecretMissing$/);
    await scene.untilAgent(({ status }) => status?.phase === 'Pending', 'pending');
  }),
];
