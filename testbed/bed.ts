import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Fault, isPodFault } from './faults/fault.ts';
import { installIngress } from './ingress/install.ts';
import { Api, type Dial } from './kube/api.ts';
import { kubeconfigOf, readCurrentContext } from './kube/kubeconfig.ts';
import type { Secret } from './kube/objects.ts';
import { controlPlanes, secrets } from './kube/resources.ts';
import type { ControlPlane } from './kubeflex/objects.ts';
import { tableOf } from './kubelet/folder.ts';
import { initHub, linkPrograms } from './kubelet/programs.ts';
import type { HubOptions } from './ocm/hub.ts';
import { buildOcm101 } from './ocm-1.0/build.ts';
import { buildOcm12 } from './ocm-1.2/build.ts';
import type { Log } from './plane/build.ts';
import { publishClusterInfo } from './plane/cluster-info.ts';
import { ingressNodePort, Plane, type PlaneOptions } from './plane/plane.ts';
import { freePort } from './plane/ports.ts';
import { PodRunner } from './pod-runner/pod-runner.ts';
import { buildPrograms } from './programs/build.ts';

export interface PlaneSpec extends Pick<PlaneOptions, 'nodeName' | 'ports' | 'hosts'> {
  /** Also the name of its context: its1, cluster1 … */
  name: string;
  /** Creates an OCM hub on it. */
  hub?: boolean | HubOptions;
  /** Gives it an ingress with TLS passthrough, on a port of this machine: `plane.ingressPort`. */
  ingress?: boolean;
  /** Whether it publishes its address in kube-public/cluster-info, as kubeadm's clusters do; by default a hub does. */
  clusterInfo?: boolean;
}

export interface BedOptions {
  planes: readonly PlaneSpec[];
  log?: Log;
  /** Real programs also of OCM 1.2.1, to which a hub can be upgraded. */
  hasNewerOcm?: boolean;
  /** The parent of the bed's folder, which the bed removes; by default that of temporary files. */
  dir?: string;
}

/** The controller that signs approved requests. */
const signer = 'certificatesigningrequest-signing-controller';

/**
 * Several real Kubernetes control planes side by side, with a pod runner for all of them.
 * It ends with the process that started it, however that ends.
 */
export class Bed {
  readonly dir: string;
  /** A file with one context per plane, each with all permissions; the first plane's is the current one. */
  readonly kubeconfig: string;
  /** The folder of the programs. */
  readonly #programs: string;
  readonly #planes = new Map<string, Plane>();
  readonly #podRunner: PodRunner;
  readonly #faults = new Set<Fault>();
  readonly #clients: Api[] = [];

  constructor(dir: string, programs: string) {
    this.dir = dir;
    this.kubeconfig = join(dir, 'kubeconfig');
    this.#programs = programs;
    this.#podRunner = new PodRunner(dir, programs);
  }

  get planes(): Plane[] {
    return [...this.#planes.values()];
  }

  plane(name: string): Plane {
    const plane = this.#planes.get(name);
    if (!plane) throw new Error(`the bed has no plane ${name}`);
    return plane;
  }

  /**
   * A client with all permissions for a control plane that runs in pods of another one, through its ingress, by the name that KubeFlex
   * knows it by; throws if its kubeconfig is not there.
   */
  async nested(name: string, hosting = this.planes[0]?.name ?? ''): Promise<Api> {
    const { admin } = this.plane(hosting);
    const { status } = await admin.get<ControlPlane>(controlPlanes, name);
    const { secretRef } = status ?? {};
    const secret =
      secretRef && (await admin.find<Secret>(secrets, `${secretRef.namespace}/${secretRef.name}`));
    const text = secret?.data?.[secretRef?.key ?? ''];
    if (text === undefined) throw new Error(`no control plane ${name} has been up in ${hosting}`);
    const dial: Dial = (_, port) => ({ host: '127.0.0.1', port, address: `127.0.0.1:${port}` });
    const { connection } = readCurrentContext(Buffer.from(text, 'base64').toString());
    // Node refuses the certificates of KubeFlex 0.9.3 for their AuthorityKeyId.
    const api = new Api({ ...connection, dial, isUnverified: true });
    this.#clients.push(api);
    return api;
  }

  /** The active faults. */
  get faults(): readonly Fault[] {
    return [...this.#faults];
  }

  /** Causes a fault, until the returned function is called. */
  async fault(fault: Fault): Promise<() => Promise<void>> {
    this.#faults.add(fault);
    await this.#enforce(fault, true);
    return async () => {
      if (this.#faults.delete(fault)) await this.#enforce(fault, false);
    };
  }

  /** Removes all faults. */
  async mend(): Promise<void> {
    const all = [...this.#faults];
    this.#faults.clear();
    for (const fault of all) await this.#enforce(fault, false);
  }

  async #enforce(fault: Fault, isInForce: boolean): Promise<void> {
    if (isPodFault(fault)) return this.#podRunner.setFaults([...this.#faults].filter(isPodFault));
    const plane = this.plane(fault.plane);
    if (fault.kind === 'certificate') await plane.serveAs(isInForce ? 'other' : 'own');
    else if (fault.kind === 'misnamed') await plane.serveAs(isInForce ? 'misnamed' : 'own');
    else if (fault.kind === 'unhealthy') await plane.freezeStore(isInForce);
    else if (fault.kind === 'unsigned')
      await plane.runControllers({ without: isInForce ? [signer] : [] });
    else if (isInForce) await plane.stop();
    else await plane.start();
  }

  async addPlane(spec: PlaneSpec): Promise<Plane> {
    await this.addPlanes([spec]);
    return this.plane(spec.name);
  }

  /** Starts planes in parallel. */
  async addPlanes(specs: readonly PlaneSpec[]): Promise<void> {
    const starting = specs.map((spec) => this.#create(spec));
    // Waits for all of them before reporting a failure: stop() must find the others.
    const started = await Promise.allSettled(starting);
    // In the order of the specs, whichever was ready first: the first one's context is the current one.
    for (const plane of started)
      if (plane.status === 'fulfilled') this.#planes.set(plane.value.name, plane.value);
    await Promise.all(starting);
    await this.#podRunner.addPlanes(specs.map(({ name }) => this.plane(name).info));
    await Promise.all(
      specs.map(async ({ name, hub, ingress, clusterInfo = Boolean(hub) }) => {
        const plane = this.plane(name);
        if (hub) await initHub(this.dir, plane, hub === true ? {} : hub);
        if (clusterInfo) await publishClusterInfo(plane);
        if (ingress) await installIngress(plane.admin);
      }),
    );
    await this.#writeKubeconfig();
  }

  async #create({ name, hub, ingress, ports = [], ...options }: PlaneSpec): Promise<Plane> {
    const all = ingress ? [...ports, { node: ingressNodePort, host: await freePort() }] : ports;
    return Plane.create(name, join(this.dir, name), join(this.#programs, 'control-plane'), {
      ...options,
      ports: all,
      network: tableOf(this.dir, name),
    });
  }

  /** Ends a plane and its pods permanently. */
  async removePlane(name: string): Promise<void> {
    const plane = this.plane(name);
    this.#planes.delete(name);
    await this.#podRunner.removePlane(name);
    await plane.destroy();
    await rm(plane.dir, { recursive: true, force: true });
    await this.#writeKubeconfig();
  }

  async #writeKubeconfig(): Promise<void> {
    await writeFile(
      this.kubeconfig,
      kubeconfigOf(this.planes.map((plane) => plane.kubeconfigEntry)),
      { mode: 0o600 },
    );
  }

  /** Ends all processes and removes all files. */
  async stop(): Promise<void> {
    for (const client of this.#clients) client.close();
    // Pods must not use planes that have been released.
    await this.#podRunner.stop();
    await Promise.all(this.planes.map((plane) => plane.release()));
    await rm(this.dir, { recursive: true, force: true });
  }
}

/** Starts a bed, after building its programs if this machine has none yet. */
export async function startBed({
  planes,
  log = () => {},
  dir = tmpdir(),
  ...which
}: BedOptions): Promise<Bed> {
  const programs = await buildPrograms(log);
  const ocm = { 'v1.0.0': programs, 'v1.0.1': await buildOcm101(log) };
  const newerOcm = which.hasNewerOcm && { 'v1.2.1': await buildOcm12(log) };
  await mkdir(dir, { recursive: true });
  const own = await mkdtemp(join(dir, 'stellarctl-bed-'));
  linkPrograms(own, programs, { ...ocm, ...newerOcm });
  const bed = new Bed(own, programs);
  try {
    await bed.addPlanes(planes);
    return bed;
  } catch (error) {
    await bed.stop();
    throw error;
  }
}
