import type { Bed } from '../bed.ts';
import type { Fault } from '../faults/fault.ts';
import { Api, keyOf } from '../kube/api.ts';
import { findCondition, isTrue } from '../kube/conditions.ts';
import type {
  CertificateSigningRequest,
  Condition,
  Klusterlet,
  ManagedCluster,
  Namespace,
  Pod,
  Secret,
} from '../kube/objects.ts';
import {
  certificateSigningRequests,
  deployments,
  klusterlets,
  managedClusters,
  namespaces,
  pods,
  secrets,
} from '../kube/resources.ts';
import { until } from '../kube/until.ts';
import { agentRequest } from '../ocm/certificate-request.ts';
import { filesOf } from '../ocm/hub-kubeconfig.ts';
import {
  agentNamespace,
  agentUser,
  clusterGroup,
  clusterNameLabel,
  condition,
  hubKubeconfigSecret,
  managedClustersGroup,
  operatorNamespace,
} from '../ocm/names.ts';
import type { Plane } from '../plane/plane.ts';
import { type Installation, installKlusterlet } from './installer.ts';
import { bootstrapRequester } from './requests.ts';
import { requestBootstrapToken } from './tokens.ts';
import { wipeWec } from './wipe.ts';

type Bootstrap = NonNullable<Installation['bootstrap']>;

const operator = `${operatorNamespace}/klusterlet`;
const agent = `${agentNamespace}/klusterlet-agent`;

/** A managed cluster and its hub, on which a fault is arranged. */
export class WecScene {
  readonly bed: Bed;
  readonly hub: Plane;
  readonly wec: Plane;
  /** The cluster's name on the hub, which is that of its plane. */
  readonly name: string;
  readonly #mends: (() => Promise<unknown>)[] = [];

  constructor(bed: Bed, wec: string, hub = 'its1') {
    this.bed = bed;
    this.hub = bed.plane(hub);
    this.wec = bed.plane(wec);
    this.name = wec;
  }

  /** Causes a fault until the scene is restored. */
  async fault(fault: Fault): Promise<void> {
    this.onMend(await this.bed.fault(fault));
  }

  /** Adds an action for restoring the scene. */
  onMend(mend: () => Promise<unknown>): void {
    this.#mends.push(mend);
  }

  /** Undoes all faults, and what has registered the cluster. */
  async mend(): Promise<void> {
    for (const mend of this.#mends.splice(0)) await mend();
    await this.wipe();
  }

  /** As if the cluster had never been registered under any name. */
  wipe(name = this.name): Promise<void> {
    return wipeWec(this.hub, this.wec, name);
  }

  /** Starts clean: installs a klusterlet, with a bootstrap Secret that is valid except for the given changes. */
  async install(
    wrong: Partial<Bootstrap> | 'no Secret' = {},
    other: Partial<Pick<Installation, 'clusterName' | 'agentVersion'>> = {},
  ): Promise<void> {
    await this.wipe();
    const bootstrap = wrong === 'no Secret' ? undefined : await this.bootstrap(wrong);
    await this.#apply({ bootstrap, ...other });
  }

  /** What an agent needs to reach the hub. */
  async bootstrap(wrong: Partial<Bootstrap> = {}): Promise<Bootstrap> {
    const token = wrong.token ?? (await requestBootstrapToken(this.hub));
    return { server: this.hub.internalServer, caPem: this.hub.caPem, token, ...wrong };
  }

  /** Replaces the bootstrap Secret of an installed klusterlet. */
  async bootstrapAnew(wrong: Partial<Bootstrap>): Promise<void> {
    await this.#apply({ bootstrap: await this.bootstrap(wrong) });
  }

  async #apply(parts: Partial<Installation> & Pick<Installation, 'bootstrap'>): Promise<void> {
    await installKlusterlet(this.wec, { clusterName: this.name, ...parts });
  }

  /** Registers the cluster until hub and operator report it as healthy; if it is registered already, waits for that. */
  async register(other: Parameters<WecScene['install']>[1] = {}): Promise<void> {
    if (!(await this.hub.admin.find(managedClusters, this.name))) {
      await this.install({}, other);
      await this.approve(await this.untilRequested());
      await this.accept();
      await this.untilCluster(condition.available, 'True');
      // It checks again half a minute after a change that happens during its check; a new process checks at once.
      await this.restartOperator();
    }
    await this.untilCluster(condition.available, 'True');
    await this.untilConnection(/^HubConnectionFunctional$/);
  }

  /** The requests of the cluster's agents. */
  async requests(): Promise<CertificateSigningRequest[]> {
    const labelSelector = `${clusterNameLabel}=${this.name}`;
    return (
      await this.hub.admin.list<CertificateSigningRequest>(certificateSigningRequests, {
        labelSelector,
      })
    ).items;
  }

  /** The first request, once there is one. */
  untilRequested(): Promise<CertificateSigningRequest> {
    return until(async () => (await this.requests())[0], `a request of ${this.name}`);
  }

  /** Waits until the cluster has announced itself. */
  async untilAnnounced(): Promise<void> {
    await until(async () => (await this.cluster()) !== undefined, `ManagedCluster ${this.name}`);
  }

  /** Creates a request as another agent of the same name would, with a real key. */
  async requestAs(other: string): Promise<void> {
    const api = new Api({ ...this.hub.admin.connection, impersonate: bootstrapRequester });
    const { request } = await agentRequest({ cluster: this.name, agent: other });
    await api.create<CertificateSigningRequest>(certificateSigningRequests, request);
    api.close();
  }

  async approve(
    request: CertificateSigningRequest,
    type: 'Approved' | 'Denied' = 'Approved',
  ): Promise<void> {
    const condition = {
      type,
      status: 'True',
      reason: 'BedDecided',
      message: 'The bed was told so',
    } as const;
    const status = {
      ...request.status,
      conditions: [...(request.status?.conditions ?? []), condition],
    };
    await this.hub.admin.update(certificateSigningRequests, { ...request, status }, 'approval');
  }

  async accept(): Promise<void> {
    await this.untilAnnounced();
    await this.hub.admin.patch(managedClusters, this.name, { spec: { hubAcceptsClient: true } });
  }

  cluster(): Promise<ManagedCluster | undefined> {
    return this.hub.admin.find<ManagedCluster>(managedClusters, this.name);
  }

  async untilCluster(type: string, status: string): Promise<void> {
    await until(
      async () =>
        findCondition((await this.cluster())?.status?.conditions, type)?.status === status,
      `${type}=${status} of ${this.name}`,
    );
  }

  /** Waits until the operator's condition on the connection to the hub has such a reason and, if given, such a message. */
  async untilConnection(reason: RegExp, message = /./): Promise<void> {
    await until(async () => {
      const found = findCondition(await this.klusterletConditions(), 'HubConnectionDegraded');
      return found && reason.test(found.reason ?? '') && message.test(found.message ?? '');
    }, `HubConnectionDegraded ${reason} ${message} on ${this.name}`);
  }

  async klusterletConditions(): Promise<Condition[]> {
    const klusterlet = await this.wec.admin.find<Klusterlet>(klusterlets, 'klusterlet');
    return klusterlet?.status?.conditions ?? [];
  }

  /** The agent's pods, dead ones among them. */
  async agents(): Promise<Pod[]> {
    return (await this.wec.admin.list<Pod>(pods, { namespace: agentNamespace })).items;
  }

  /** Waits until one of the agent's pods is in this state. */
  async untilAgent(isSo: (pod: Pod) => boolean, what: string): Promise<void> {
    await until(
      async () => (await this.agents()).some(isSo),
      `an agent of ${this.name} that is ${what}`,
    );
  }

  /** Waits until the agent has logged something. */
  async untilAgentSays(text: RegExp): Promise<void> {
    await until(async () => {
      for (const { metadata } of await this.agents()) {
        const path = `/api/v1/namespaces/${agentNamespace}/pods/${metadata.name}/log`;
        if (text.test(await this.wec.admin.send<string>('GET', path).catch(() => ''))) return true;
      }
      return false;
    }, `${text} in the log of the agent of ${this.name}`);
  }

  /** Scales operator and agent, the operator first, which would restart its agent; waits for the end of their pods. */
  async stopKlusterlet(): Promise<void> {
    for (const key of [operator, agent]) {
      await this.wec.admin.patch(deployments, key, { spec: { replicas: 0 } });
      const [namespace = ''] = key.split('/');
      const hasEnded = async () =>
        (await this.wec.admin.list(pods, { namespace })).items.length === 0;
      await until(hasEnded, `end of the pods in ${namespace} of ${this.name}`);
    }
  }

  async restartOperator(): Promise<void> {
    const { items } = await this.wec.admin.list(pods, { namespace: operatorNamespace });
    for (const pod of items) await this.wec.admin.delete(pods, keyOf(pod));
  }

  /** Records which cluster this is, as stellarctl does when it joins one. */
  async record(): Promise<void> {
    const { uid = '' } = (await this.wec.admin.get<Namespace>(namespaces, 'kube-system')).metadata;
    const annotations = { 'stellarctl.kubestellar.io/kube-system-uid': uid };
    await this.hub.admin.patch(managedClusters, this.name, { metadata: { annotations } });
  }

  /** While no agent runs, replaces its certificate by one of the hub's CA with the same subject, valid for a year until then. */
  async certifyUntil(to: Date): Promise<void> {
    const { hub, wec, name } = this;
    const key = `${agentNamespace}/${hubKubeconfigSecret}`;
    const files = filesOf(await wec.admin.get<Secret>(secrets, key));
    const subject = agentUser(name, files['agent-name'] ?? '');
    const validity = { from: new Date(to.getTime() - 365 * 86_400_000), to };
    const { certPem, keyPem } = await hub.issueUser(
      subject,
      [clusterGroup(name), managedClustersGroup],
      validity,
    );
    const base64 = (text: string) => Buffer.from(text).toString('base64');
    await wec.admin.patch(secrets, key, {
      data: { 'tls.crt': base64(certPem), 'tls.key': base64(keyPem) },
    });
  }

  /** Waits until a namespace that is being deleted says why it does not end. */
  async untilNamespace({ admin }: Plane, name: string, type: string): Promise<void> {
    await until(async () => {
      const { status } = await admin.get<Namespace>(namespaces, name);
      return isTrue(status?.conditions, type);
    }, `${type} of namespace ${name}`);
  }

  /** Restarts the operator, which restarts its agent. */
  async startKlusterlet(): Promise<void> {
    await this.wec.admin.patch(deployments, operator, { spec: { replicas: 1 } });
  }

  /** A new process of the agent, in a new pod: connections and memory are lost. */
  async restartAgent(): Promise<void> {
    await this.stopKlusterlet();
    await this.startKlusterlet();
    await this.untilRunning();
  }

  /** Waits until the agent's pod is healthy, as far as its kubelet knows. */
  untilRunning(): Promise<void> {
    return this.untilAgent(
      ({ status }) => status?.containerStatuses?.[0]?.ready === true,
      'running',
    );
  }

  /** Waits until the hub has missed the agent's lease, after 5 s instead of 5 minutes. */
  async untilUnknown(): Promise<void> {
    await this.hub.admin.patch(managedClusters, this.name, { spec: { leaseDurationSeconds: 1 } });
    await this.untilCluster(condition.available, 'Unknown');
    await this.hub.admin.patch(managedClusters, this.name, { spec: { leaseDurationSeconds: 60 } });
  }
}
