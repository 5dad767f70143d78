import { randomUUID } from 'node:crypto';
import { Api } from '../kube/api.ts';
import { namespaces } from '../kube/resources.ts';
import { isFrozen } from '../plane/processes.ts';
import { bedUser, etcdSocket, masters, Servers } from '../plane/servers.ts';
import { Etcd } from './etcd.ts';

/** The UID of this namespace is the identity of a cluster. */
const kubeSystem = '/registry/namespaces/kube-system';

/** What the API server writes again by itself, so that it need not be restored: its certificate authorities, and its own Leases. */
const own = {
  authorities: '/registry/configmaps/kube-system/extension-apiserver-authentication',
  leases: ['/registry/leases/kube-system/apiserver-', '/registry/masterleases/'],
};

const uid = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/;

/**
 * Servers that are used again: between two borrowers they get the keys of a new cluster, another identity and another CA.
 *
 * The keys are changed in etcd itself, which takes no account of finalizers; the API server sees that as it sees any other
 * change. Its processes, port, range of Service addresses, and the key of its tokens stay.
 */
export class Pooled {
  readonly servers: Servers;
  readonly #etcd: Etcd;
  readonly #values: Map<string, Buffer>;
  /** By key, the revision at which it had that value. */
  #revisions: Map<string, string>;

  private constructor(
    servers: Servers,
    etcd: Etcd,
    values: Map<string, Buffer>,
    revisions: Map<string, string>,
  ) {
    this.servers = servers;
    this.#etcd = etcd;
    this.#values = values;
    this.#revisions = revisions;
  }

  static async start(dir: string, binary: string): Promise<Pooled> {
    const servers = await Servers.create(dir, binary);
    try {
      const etcd = new Etcd(etcdSocket(dir));
      const ofService = ['specs', 'endpoints'].map(
        (kind) => `/registry/services/${kind}/default/kubernetes`,
      );
      const hasAll = async () => {
        const names = (await etcd.keys()).map(({ name }) => name);
        return [own.authorities, ...ofService].every((name) => names.includes(name));
      };
      await servers.until(hasAll);
      const revisions = await revisionsOf(etcd);
      return new Pooled(servers, etcd, await etcd.values(), revisions);
    } catch (error) {
      await servers.destroy();
      throw error;
    }
  }

  /** Whether no borrower has killed or frozen a process. */
  get isWhole(): boolean {
    const pids = Object.values(this.servers.pids);
    return pids.length === 2 && !pids.some(isFrozen);
  }

  /** Makes a new cluster of it. */
  async reset(): Promise<void> {
    await this.servers.route();
    await this.servers.renewAuthority();
    await this.#wipe();
    this.#revisions = await revisionsOf(this.#etcd);
    // Refused until the API server has loaded the new CA; and its caches have then seen the changes.
    await withAdmin(this.servers, (admin) =>
      this.servers.until(async () => (await admin.list(namespaces)).items.length === 4),
    );
  }

  async #wipe(): Promise<void> {
    const present = await revisionsOf(this.#etcd);
    const isRenewed = (name: string) => name === own.authorities || name === kubeSystem;
    const isOwnLease = (name: string) => own.leases.some((lease) => name.startsWith(lease));
    for (const name of present.keys())
      if (isRenewed(name) || !(this.#values.has(name) || isOwnLease(name)))
        await this.#etcd.delete(name);
    for (const [name, value] of this.#values) {
      if (name === own.authorities || isOwnLease(name)) continue;
      if (name === kubeSystem) await this.#etcd.put(name, withNewUid(value));
      else if (present.get(name) !== this.#revisions.get(name)) await this.#etcd.put(name, value);
    }
  }
}

async function withAdmin<T>(servers: Servers, work: (admin: Api) => Promise<T>): Promise<T> {
  const user = await servers.authority.issue({ commonName: bedUser, organizations: [masters] });
  const admin = new Api({ server: servers.url, caPem: servers.bothCas, ...user });
  try {
    return await work(admin);
  } finally {
    admin.close();
  }
}

const revisionsOf = async (etcd: Etcd) =>
  new Map((await etcd.keys()).map(({ name, revision }) => [name, revision]));

/** An encoded object with another UID of the same length. */
function withNewUid(value: Buffer): Buffer {
  return Buffer.from(value.toString('latin1').replace(uid, randomUUID()), 'latin1');
}
