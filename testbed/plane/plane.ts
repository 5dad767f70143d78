import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Api, type Connection } from '../kube/api.ts';
import { type Entry, kubeconfigOf } from '../kube/kubeconfig.ts';
import { leases, serviceAccounts } from '../kube/resources.ts';
import { apiServerAddress, nodeAddress } from '../kubelet/addresses.ts';
import { borrowServers } from '../pool/borrow.ts';
import { type AuditEvent, AuditLog, isRead, kubeconfigGroup } from './audit.ts';
import type { KeyPair, Validity } from './pki.ts';
import { Child } from './processes.ts';
import { auditLog, bedUser, masters, Servers } from './servers.ts';

/** The name of the API server for pods of its own cluster. */
const inClusterName = 'kubernetes.default.svc';

/** The controllers that registration, Deployments, Jobs and clean deletion need. */
const bedControllers = [
  'certificatesigningrequest-approving-controller',
  'certificatesigningrequest-cleaner-controller',
  'certificatesigningrequest-signing-controller',
  'clusterrole-aggregation-controller',
  'deployment-controller',
  'endpoints-controller',
  'endpointslice-controller',
  'garbage-collector-controller',
  'job-controller',
  'namespace-controller',
  'replicaset-controller',
  'root-ca-certificate-publisher-controller',
  'serviceaccount-controller',
  'serviceaccount-token-controller',
  'statefulset-controller',
  'token-cleaner-controller',
  'ttl-after-finished-controller',
];

/** The port of the node on which the ingress of a cluster serves TLS. */
export const ingressNodePort = 443;

export interface PlaneOptions {
  /** The name of its node's container; `<name>-control-plane` by default, as in kind. */
  nodeName?: string;
  /** Published ports of the node: programs on this machine reach them on a port of 127.0.0.1. */
  ports?: PortMapping[];
  /** Further names that its certificate is valid for. */
  hosts?: string[];
  /** Its table of connections, by which its API server reaches Services and kubelets. */
  network?: string;
}

export interface PortMapping {
  node: number;
  host: number;
}

/** The data of a plane that other processes of the bed need. */
export interface PlaneInfo {
  name: string;
  nodeName: string;
  ports: PortMapping[];
  port: number;
  /** The number of its addresses (kubelet/addresses.ts). */
  number: number;
  /** The CA bundle that the plane's own pods trust, as if they followed changes of the cluster's CA. */
  caPem: string;
  connection: Connection;
}

/** One Kubernetes control plane: etcd, kube-apiserver and kube-controller-manager with their own CA, on 127.0.0.1. */
export class Plane {
  readonly name: string;
  readonly nodeName: string;
  readonly ports: PortMapping[];
  readonly dir: string;
  readonly #binary: string;
  readonly #hosts: string[];
  readonly #servers: Servers;
  readonly #auditLog: AuditLog;
  readonly #gone = new AbortController();
  #adminUser: KeyPair | undefined;
  #bedUser: KeyPair | undefined;
  #controllerManager: Child | undefined;
  #admin: Api | undefined;

  private constructor(
    name: string,
    dir: string,
    binary: string,
    options: PlaneOptions,
    servers: Servers,
  ) {
    this.name = name;
    this.nodeName = options.nodeName ?? `${name}-control-plane`;
    this.ports = options.ports ?? [];
    this.dir = dir;
    this.#binary = binary;
    this.#hosts = options.hosts ?? [];
    this.#servers = servers;
    this.#auditLog = new AuditLog(auditLog(servers.dir));
  }

  /** Creates the files of a plane and starts it, on servers of the pool if there is one. */
  static async create(
    name: string,
    dir: string,
    binary: string,
    options: PlaneOptions = {},
  ): Promise<Plane> {
    await mkdir(dir, { recursive: true, mode: 0o700 });
    const servers = (await borrowServers(binary)) ?? (await Servers.create(dir, binary));
    const plane = new Plane(name, dir, binary, options, servers);
    try {
      await servers.route(options.network);
      plane.#adminUser = await plane.issueUser(adminOf(name), [masters, kubeconfigGroup]);
      plane.#bedUser = await plane.issueUser(bedUser, [masters]);
      plane.#admin = new Api(plane.#bedConnection);
      await Promise.all([plane.serveAs('own'), plane.runControllers()]);
      return plane;
    } catch (error) {
      await plane.destroy();
      throw error;
    }
  }

  get caPem(): string {
    return this.#servers.authority.certPem;
  }

  /** The key that signs service account tokens, for tokens that the API server would refuse to issue. */
  get tokenKeyPem(): string {
    return this.#servers.tokenKeyPem;
  }

  /** The URL of the API server for programs on this machine. */
  get server(): string {
    return this.#servers.url;
  }

  /** The URL of the API server for pods of all planes: the address of a kind cluster on the container network. */
  get internalServer(): string {
    return `https://${this.nodeName}:6443`;
  }

  /** The port of this machine that leads to the ingress, if any. */
  get ingressPort(): number | undefined {
    return this.ports.find(({ node }) => node === ingressNodePort)?.host;
  }

  /** A client with all rights, as the bed's own user. */
  get admin(): Api {
    return there(this.#admin);
  }

  get info(): PlaneInfo {
    const { name, nodeName, ports } = this;
    const { port, number, bothCas: caPem } = this.#servers;
    return { name, nodeName, ports, port, number, caPem, connection: this.#bedConnection };
  }

  /** The IDs of its running processes, by program. */
  get pids(): Record<string, number> {
    const { name = '', pid = 0, hasEnded = true } = this.#controllerManager ?? {};
    return { ...this.#servers.pids, ...(hasEnded ? {} : { [name]: pid }) };
  }

  /** The plane's kubeconfig context: context and cluster have the name of the plane, the user is `<name>-admin`. */
  get kubeconfigEntry(): Entry {
    return this.entryFor(adminOf(this.name), there(this.#adminUser));
  }

  /** The context of the bed's own user, for other processes of the bed. */
  get bedEntry(): Entry {
    return this.entryFor(bedUser, { ...there(this.#bedUser), caPem: this.#servers.bothCas });
  }

  /** A kubeconfig context for another user. */
  entryFor(
    user: string,
    credentials: Partial<KeyPair> & { token?: string; caPem?: string },
  ): Entry {
    const connection = { server: this.server, caPem: this.caPem, ...credentials };
    return { context: this.name, cluster: this.name, user, connection };
  }

  /** Issues a client certificate for any user of this plane. */
  issueUser(
    commonName: string,
    organizations: string[] = [],
    validity?: Validity,
  ): Promise<KeyPair> {
    return this.#servers.authority.issue({
      commonName,
      organizations,
      ...(validity && { validity }),
    });
  }

  /** The writes that the API server answered since the start or the last mark; only those of user `by` if given. */
  async auditWrites({ by }: { by?: string } = {}): Promise<AuditEvent[]> {
    const writes = (await this.#auditLog.events(this.admin)).filter((event) => !isRead(event));
    return by === undefined ? writes : writes.filter(({ user }) => user.username === by);
  }

  /** All requests of the kubeconfig's user since the start or the last mark, including reads. */
  async auditRequests(): Promise<AuditEvent[]> {
    const events = await this.#auditLog.events(this.admin);
    return events.filter(({ user }) => user.username === adminOf(this.name));
  }

  /** Sets the mark for auditWrites and auditRequests. */
  markAudit(): Promise<void> {
    return this.#auditLog.mark(this.admin);
  }

  /** Starts a stopped plane with the same data on the same port. */
  async start(): Promise<void> {
    this.#admin?.close();
    this.#admin = new Api(this.#bedConnection);
    await this.#servers.start();
    await this.runControllers();
  }

  /** Restarts the controller manager, without the named controllers. */
  async runControllers({ without = [] }: { without?: readonly string[] } = {}): Promise<void> {
    await this.#controllerManager?.stop();
    const controllerManager = await this.issueUser('system:kube-controller-manager', [masters]);
    const entry = this.entryFor('controller-manager', {
      ...controllerManager,
      caPem: this.#servers.bothCas,
    });
    const kubeconfig = join(this.dir, 'controller-manager.kubeconfig');
    await writeFile(kubeconfig, kubeconfigOf([entry]), { mode: 0o600 });
    // Do not wait for the Lease of the previous one, which was killed.
    await this.admin.delete(leases, 'kube-system/kube-controller-manager');
    const controllers = bedControllers.filter((name) => !without.includes(name));
    const flags = controllerManagerFlags(kubeconfig, this.#servers.dir, controllers);
    const started = new Child(this.#binary, 'kube-controller-manager', flags, this.dir);
    this.#controllerManager = started;
    const hasBegun = async () =>
      (await this.admin.find(serviceAccounts, 'default/default')) !== undefined;
    await this.#servers.until(hasBegun, started);
  }

  /** Freezes or resumes etcd; the API server still runs. */
  freezeStore(isFrozen: boolean): Promise<void> {
    return this.#servers.freezeStore(isFrozen);
  }

  /** Kills the processes; the data remain. */
  async stop(): Promise<void> {
    await Promise.all([this.#controllerManager?.stop(), this.#servers.stop()]);
  }

  /** Aborted when the plane stops permanently. */
  get gone(): AbortSignal {
    return this.#gone.signal;
  }

  /** Stops permanently. */
  async destroy(): Promise<void> {
    this.#gone.abort();
    await this.stop();
    this.#admin?.close();
    await this.#servers.destroy();
  }

  /** Ends with the bed: its servers may go on for another bed. Nothing may use it from now on. */
  async release(): Promise<void> {
    this.#gone.abort();
    await this.#controllerManager?.stop();
    this.#admin?.close();
    await this.#servers.release();
  }

  /**
   * Makes the API server serve with a certificate of its own CA, of another CA that only the bed trusts, or with one of
   * its own CA that contains none of its names for pods. The API server reloads it within a second; existing connections
   * survive.
   */
  async serveAs(whose: 'own' | 'other' | 'misnamed'): Promise<void> {
    const { authority, otherAuthority } = this.#servers;
    const outside = ['localhost', '127.0.0.1', '::1', inClusterName, ...this.#routed];
    const hosts =
      whose === 'misnamed'
        ? [...outside, `${this.name}.example.com`]
        : [...outside, `${this.name}.localtest.me`, this.nodeName, ...this.#hosts];
    const issuer = whose === 'other' ? otherAuthority : authority;
    await this.#servers.serveWith(await issuer.issue({ commonName: 'kube-apiserver', hosts }));
  }

  /** Further names and addresses, which lead to it by its table of connections. */
  get #routed(): string[] {
    const { number } = this.#servers;
    const names = ['kubernetes', 'kubernetes.default', `${inClusterName}.cluster.local`];
    return [apiServerAddress(number), nodeAddress(number), ...names];
  }

  get #bedConnection(): Connection {
    return { server: this.server, caPem: this.#servers.bothCas, ...there(this.#bedUser) };
  }
}

function there<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('the plane was never started');
  return value;
}

/** The user of the plane's context in the bed's kubeconfig. */
function adminOf(name: string): string {
  return `${name}-admin`;
}

function controllerManagerFlags(
  kubeconfig: string,
  keys: string,
  controllers: readonly string[],
): Record<string, string | number> {
  return {
    kubeconfig,
    controllers: controllers.join(','),
    'leader-elect': 'true',
    // Long: it exits if it cannot renew its Lease in time, and does not restart. A busy machine must not cause this.
    'leader-elect-lease-duration': '600s',
    'leader-elect-renew-deadline': '500s',
    'leader-elect-retry-period': '5s',
    'secure-port': 0,
    // One signer: a queue of inotify for each, of which a user may have 128.
    'cluster-signing-kube-apiserver-client-cert-file': join(keys, 'ca.crt'),
    'cluster-signing-kube-apiserver-client-key-file': join(keys, 'ca.key'),
    'root-ca-file': join(keys, 'ca.crt'),
    'service-account-private-key-file': join(keys, 'service-account.key'),
    'kube-api-qps': 200,
    'kube-api-burst': 400,
    profiling: 'false',
  };
}
