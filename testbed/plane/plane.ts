import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect } from 'node:tls';
import { Api, type Connection } from '../kube/api.ts';
import { type Entry, kubeconfigOf } from '../kube/kubeconfig.ts';
import { leases, serviceAccounts } from '../kube/resources.ts';
import { type AuditEvent, AuditLog, auditPolicy, isRead } from './audit.ts';
import { Child } from './child.ts';
import { Authority, type KeyPair, newKeyPem, type Validity } from './pki.ts';
import { freePort } from './ports.ts';
import { ServiceRange } from './service-range.ts';

/** The bed's own user, which distinguishes its writes in an audit log from those of the kubeconfig's user. */
const bedUser = 'bed';

const masters = 'system:masters';

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

const readyTimeout = 120_000;

/** The keys of a plane that were created elsewhere. */
export interface PlaneKeys {
  authority: KeyPair;
  serving: KeyPair;
  /** Signs the tokens of service accounts. */
  tokenKeyPem: string;
}

export interface PlaneOptions {
  /** The name of its node's container; `<name>-control-plane` by default, as in kind. */
  nodeName?: string;
  /** Published ports of the node: programs on this machine reach them on a port of 127.0.0.1. */
  ports?: PortMapping[];
  /** Further names that its certificate is valid for. */
  hosts?: string[];
  /** Created by default. */
  keys?: PlaneKeys;
  /** By default, the controllers of the bed's planes. */
  controllers?: readonly string[];
  /** Whether its audit log includes reads by the kubeconfig's user. */
  auditReads?: boolean;
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
  readonly caPem: string;
  /** The key that signs service account tokens, for tokens that the API server would refuse to issue. */
  readonly tokenKeyPem: string;
  readonly #binary: string;
  readonly #hosts: string[];
  readonly #controllers: readonly string[];
  readonly #auditReads: boolean;
  readonly #authority: Authority;
  /** A serving certificate that was created elsewhere. */
  readonly #givenServing: KeyPair | undefined;
  /** A CA that only the bed itself trusts. */
  readonly #otherAuthority: Authority;
  readonly #serviceRange: ServiceRange;
  readonly #auditLog: AuditLog;
  readonly #gone = new AbortController();
  #port = 0;
  #adminUser: KeyPair | undefined;
  #bedUser: KeyPair | undefined;
  #children: Child[] = [];
  #admin: Api | undefined;

  private constructor(
    name: string,
    dir: string,
    binary: string,
    options: PlaneOptions,
    authority: Authority,
    otherAuthority: Authority,
    tokenKeyPem: string,
    range: ServiceRange,
  ) {
    this.name = name;
    this.nodeName = options.nodeName ?? `${name}-control-plane`;
    this.ports = options.ports ?? [];
    this.dir = dir;
    this.caPem = authority.certPem;
    this.tokenKeyPem = tokenKeyPem;
    this.#binary = binary;
    this.#hosts = options.hosts ?? [];
    this.#controllers = options.controllers ?? bedControllers;
    this.#auditReads = options.auditReads ?? false;
    this.#authority = authority;
    this.#givenServing = options.keys?.serving;
    this.#otherAuthority = otherAuthority;
    this.#serviceRange = range;
    this.#auditLog = new AuditLog(join(dir, 'audit.log'));
  }

  /** Creates the files of a plane and starts it. */
  static async create(name: string, dir: string, binary: string, options: PlaneOptions = {}): Promise<Plane> {
    await mkdir(dir, { recursive: true, mode: 0o700 });
    const { keys } = options;
    const authority = keys ? Authority.of(keys.authority) : await Authority.create(`${name}-ca`);
    const other = await Authority.create(`${name}-other-ca`);
    const tokenKeyPem = keys?.tokenKeyPem ?? (await newKeyPem());
    const range = await ServiceRange.claim();
    const plane = new Plane(name, dir, binary, options, authority, other, tokenKeyPem, range);
    try {
      await plane.#writeFiles();
      await plane.#startOnFreePort();
      return plane;
    } catch (error) {
      await plane.destroy();
      throw error;
    }
  }

  /** The URL of the API server for programs on this machine. */
  get server(): string {
    return `https://127.0.0.1:${this.#port}`;
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
    return { name, nodeName, ports, port: this.#port, caPem: this.#bothCas, connection: this.#bedConnection };
  }

  /** The IDs of its running processes, by program. */
  get pids(): Record<string, number> {
    return Object.fromEntries(
      this.#children.filter((child) => !child.hasEnded).map((child) => [child.name, child.pid ?? 0]),
    );
  }

  /** The plane's kubeconfig context: context and cluster have the name of the plane, the user is `<name>-admin`. */
  get kubeconfigEntry(): Entry {
    return this.entryFor(adminOf(this.name), there(this.#adminUser));
  }

  /** The context of the bed's own user, for other processes of the bed. */
  get bedEntry(): Entry {
    return this.entryFor(bedUser, { ...there(this.#bedUser), caPem: this.#bothCas });
  }

  /** A kubeconfig context for another user. */
  entryFor(user: string, credentials: Partial<KeyPair> & { token?: string; caPem?: string }): Entry {
    const connection = { server: this.server, caPem: this.caPem, ...credentials };
    return { context: this.name, cluster: this.name, user, connection };
  }

  /** Issues a client certificate for any user of this plane. */
  issueUser(commonName: string, organizations: string[] = [], validity?: Validity): Promise<KeyPair> {
    return this.#authority.issue({ commonName, organizations, ...(validity && { validity }) });
  }

  /** The writes that the API server answered since the start or the last mark; only those of user `by` if given. */
  async auditWrites({ by }: { by?: string } = {}): Promise<AuditEvent[]> {
    const writes = (await this.#auditLog.events(this.admin)).filter((event) => !isRead(event));
    return by === undefined ? writes : writes.filter(({ user }) => user.username === by);
  }

  /** All requests of the kubeconfig's user since the start or the last mark, including reads if `auditReads` is set. */
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
    this.#spawn('etcd', etcdFlags(this.dir));
    this.#spawn('kube-apiserver', apiserverFlags(this.dir, this.#port, this.#serviceRange.cidr));
    await this.#until(() => this.isReady());
    await this.runControllers();
  }

  /** Restarts the controller manager, without the named controllers. */
  async runControllers({ without = [] }: { without?: readonly string[] } = {}): Promise<void> {
    const program = 'kube-controller-manager';
    for (const child of this.#children.filter(({ name }) => name === program)) await child.stop();
    this.#children = this.#children.filter(({ name }) => name !== program);
    const controllerManager = await this.issueUser('system:kube-controller-manager', [masters]);
    const entry = this.entryFor('controller-manager', { ...controllerManager, caPem: this.#bothCas });
    const kubeconfig = kubeconfigOf([entry]);
    await writeFile(join(this.dir, 'controller-manager.kubeconfig'), kubeconfig, { mode: 0o600 });
    // Do not wait for the Lease of the previous one, which was killed.
    await this.admin.delete(leases, 'kube-system/kube-controller-manager');
    const controllers = this.#controllers.filter((name) => !without.includes(name));
    this.#spawn(program, controllerManagerFlags(this.dir, controllers));
    await this.#until(async () => (await this.admin.find(serviceAccounts, 'default/default')) !== undefined);
  }

  /** Freezes or resumes etcd; the API server still runs. */
  async freezeStore(isFrozen: boolean): Promise<void> {
    this.#children.find(({ name }) => name === 'etcd')?.freeze(isFrozen);
    if (!isFrozen) await this.#until(() => this.isReady());
  }

  /** Kills the processes; the data remain. */
  async stop(): Promise<void> {
    await Promise.all(this.#children.map((child) => child.stop()));
    this.#children = [];
  }

  /** Aborted when the plane stops permanently. */
  get gone(): AbortSignal {
    return this.#gone.signal;
  }

  /** Stops permanently, and releases the service range. */
  async destroy(): Promise<void> {
    this.#gone.abort();
    await this.stop();
    this.#admin?.close();
    this.#serviceRange.release();
  }

  /**
   * Makes the API server serve with a certificate of its own CA, of another CA that only the bed trusts, or with one of
   * its own CA that contains none of its names for pods. The API server reloads it within a second; existing connections
   * survive.
   */
  async serveAs(whose: 'own' | 'other' | 'misnamed'): Promise<void> {
    const { certPem } =
      whose === 'own'
        ? await this.#writeServing(this.#authority, this.#givenServing)
        : await this.#writeServing(whose === 'other' ? this.#otherAuthority : this.#authority, undefined, whose);
    const wanted = new X509Certificate(certPem).fingerprint256;
    await this.#until(async () => (await servedFingerprint(this.#port)) === wanted);
  }

  async isReady(): Promise<boolean> {
    return this.admin.send<string>('GET', '/readyz').then(
      (answer) => answer === 'ok',
      () => false,
    );
  }

  get #bedConnection(): Connection {
    return { server: this.server, caPem: this.#bothCas, ...there(this.#bedUser) };
  }

  async #writeFiles(): Promise<void> {
    await this.#writeServing(this.#authority, this.#givenServing);
    this.#adminUser = await this.issueUser(adminOf(this.name), [masters]);
    this.#bedUser = await this.issueUser(bedUser, [masters]);
    const files = {
      'ca.crt': this.caPem,
      'ca.key': this.#authority.keyPem,
      'service-account.key': this.tokenKeyPem,
      'audit-policy.json': JSON.stringify(auditPolicy(this.#auditReads ? adminOf(this.name) : undefined)),
    };
    await Promise.all(
      Object.entries(files).map(([name, text]) => writeFile(join(this.dir, name), text, { mode: 0o600 })),
    );
  }

  async #writeServing(authority: Authority, given?: KeyPair, whose?: string): Promise<KeyPair> {
    const outside = ['localhost', '127.0.0.1', '::1', inClusterName];
    const hosts =
      whose === 'misnamed'
        ? [...outside, `${this.name}.example.com`]
        : [...outside, `${this.name}.localtest.me`, this.nodeName, ...this.#hosts];
    const serving = given ?? (await authority.issue({ commonName: 'kube-apiserver', hosts }));
    await writeFile(join(this.dir, 'serving.key'), serving.keyPem, { mode: 0o600 });
    await writeFile(join(this.dir, 'serving.crt'), serving.certPem, { mode: 0o600 });
    return serving;
  }

  get #bothCas(): string {
    return this.caPem + this.#otherAuthority.certPem;
  }

  /** Retries with another port, because another process may take the chosen port before the API server uses it. */
  async #startOnFreePort(): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      this.#port = await freePort();
      try {
        return await this.start();
      } catch (error) {
        await this.stop();
        const log = await readFile(join(this.dir, 'kube-apiserver.log'), 'utf8').catch(() => '');
        if (attempt === 5 || !log.includes('address already in use')) throw error;
      }
    }
  }

  #spawn(program: string, flags: Record<string, string | number>): void {
    const args = [program, ...Object.entries(flags).map(([name, value]) => `--${name}=${value}`)];
    this.#children.push(new Child(this.#binary, args, { cwd: this.dir, logFile: join(this.dir, `${program}.log`) }));
  }

  async #until(isReady: () => Promise<boolean>): Promise<void> {
    for (const deadline = Date.now() + readyTimeout; !(await isReady().catch(() => false)); await sleep(50)) {
      const ended = this.#children.find((child) => child.hasEnded);
      if (ended) throw new Error(`${this.name}: ${await ended.lastWords()}`);
      if (Date.now() > deadline)
        throw new Error(`${this.name} was not ready after ${readyTimeout / 1000} s; its logs: ${this.dir}`);
    }
  }
}

/** The fingerprint of the certificate that a new connection gets. */
async function servedFingerprint(port: number): Promise<string> {
  const socket = connect({ host: '127.0.0.1', port, rejectUnauthorized: false });
  try {
    await once(socket, 'secureConnect');
    return socket.getPeerCertificate().fingerprint256;
  } finally {
    socket.destroy();
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

/**
 * Uses Unix sockets in the plane's folder (its working directory), so that planes do not compete for ports. Does not sync
 * to disk, because the data need not survive.
 */
function etcdFlags(dir: string): Record<string, string> {
  return {
    name: 'etcd',
    'data-dir': join(dir, 'etcd'),
    'listen-client-urls': `unix://${join(dir, 'etcd.sock')}`,
    'advertise-client-urls': 'unix://client:0',
    'listen-peer-urls': 'unix://peer:0',
    'initial-advertise-peer-urls': 'unix://peer:0',
    'initial-cluster': 'etcd=unix://peer:0',
    'unsafe-no-fsync': 'true',
    'log-level': 'warn',
  };
}

function apiserverFlags(dir: string, port: number, serviceRange: string): Record<string, string | number> {
  return {
    'etcd-servers': `unix://${join(dir, 'etcd.sock')}`,
    'bind-address': '127.0.0.1',
    'secure-port': port,
    'tls-cert-file': join(dir, 'serving.crt'),
    'tls-private-key-file': join(dir, 'serving.key'),
    'client-ca-file': join(dir, 'ca.crt'),
    'authorization-mode': 'RBAC',
    'enable-bootstrap-token-auth': 'true',
    'service-account-issuer': serviceAccountIssuer,
    'service-account-key-file': join(dir, 'service-account.key'),
    'service-account-signing-key-file': join(dir, 'service-account.key'),
    'service-cluster-ip-range': serviceRange,
    // The kubernetes Service needs an address outside loopback.
    'endpoint-reconciler-type': 'none',
    'audit-policy-file': join(dir, 'audit-policy.json'),
    'audit-log-path': join(dir, 'audit.log'),
    // Priority and fairness cost CPU time that a test machine does not have.
    'enable-priority-and-fairness': 'false',
    profiling: 'false',
  };
}

/** The issuer and the audience of service account tokens. */
export const serviceAccountIssuer = 'https://kubernetes.default.svc.cluster.local';

function controllerManagerFlags(dir: string, controllers: readonly string[]): Record<string, string | number> {
  return {
    kubeconfig: join(dir, 'controller-manager.kubeconfig'),
    controllers: controllers.join(','),
    'leader-elect': 'true',
    // Long: it exits if it cannot renew its Lease in time, and does not restart. A busy machine must not cause this.
    'leader-elect-lease-duration': '600s',
    'leader-elect-renew-deadline': '500s',
    'leader-elect-retry-period': '5s',
    'secure-port': 0,
    'cluster-signing-cert-file': join(dir, 'ca.crt'),
    'cluster-signing-key-file': join(dir, 'ca.key'),
    'root-ca-file': join(dir, 'ca.crt'),
    'service-account-private-key-file': join(dir, 'service-account.key'),
    'kube-api-qps': 200,
    'kube-api-burst': 400,
    profiling: 'false',
  };
}
