import { once } from 'node:events';
import { connect } from 'node:tls';
import type { Bed } from '../bed.ts';
import type { Fault } from '../faults/fault.ts';
import { type Api, keyOf } from '../kube/api.ts';
import { isTrue } from '../kube/conditions.ts';
import { kubeconfigOf } from '../kube/kubeconfig.ts';
import type {
  AnyObject,
  Condition,
  ContainerStatus,
  Deployment,
  KubeObject,
  Pod,
  Secret,
} from '../kube/objects.ts';
import {
  clusterRoleBindings,
  controlPlanes,
  customResourceDefinitions,
  deployments,
  namespaces,
  pods,
  type Resource,
  secrets,
} from '../kube/resources.ts';
import { until } from '../kube/until.ts';
import { installKubeStellar } from '../kubestellar/install.ts';
import { bindingObject, serviceAccountSubject } from '../ocm/rbac.ts';
import type { Plane } from '../plane/plane.ts';
import { requestToken } from './tokens.ts';

type WithConditions = KubeObject & { status?: { conditions?: Condition[] } };

/** The service account with which KubeFlex uses an adopted cluster. */
const adoptedAccount = 'kube-system/kubeflex';

/** Spaces of a hosting cluster, the plane `hosting`, among which may be an external ITS, the plane `ext`. */
export class SpaceScene {
  readonly bed: Bed;
  readonly hosting: Plane;
  readonly #made: string[] = [];
  readonly #mends: (() => Promise<void>)[] = [];

  constructor(bed: Bed) {
    this.bed = bed;
    this.hosting = bed.plane('hosting');
  }

  get api(): Api {
    return this.hosting.admin;
  }

  get ext(): Plane {
    return this.bed.plane('ext');
  }

  async fault(fault: Fault): Promise<void> {
    this.onMend(await this.bed.fault(fault));
  }

  /** Adds an action for restoring the scene; the last one runs first. */
  onMend(mend: () => Promise<unknown>): void {
    this.#mends.unshift(async () => void (await mend()));
  }

  /** Undoes everything, and then deletes the spaces that were created for the fault. */
  async mend(): Promise<void> {
    for (const mend of this.#mends.splice(0)) await mend();
    for (const name of this.#made.splice(0).reverse()) await this.remove(name);
  }

  /** Makes the plane a hosting cluster if it is none, whose manager may create host-type spaces. */
  async install(): Promise<void> {
    if (
      !(await this.api.find(
        customResourceDefinitions,
        'controlplanes.tenancy.kflex.kubestellar.org',
      ))
    )
      await installKubeStellar(this.hosting);
    const name = 'kubeflex-manager-cluster-admin-rolebinding';
    const manager = serviceAccountSubject('kubeflex-system', 'kubeflex-controller-manager');
    await this.api.ensure(
      clusterRoleBindings,
      bindingObject(name, { name: 'cluster-admin' }, [manager]),
    );
  }

  /** The spaces that stay between faults: the host-type its1, and its WDS wds1, both healthy. */
  async base(): Promise<void> {
    await this.install();
    await this.api.ensure(controlPlanes, itsObject('its1', 'host'));
    await this.api.ensure(controlPlanes, wdsObject('wds1'));
    await Promise.all([this.untilReady('its1'), this.untilReady('wds1')]);
  }

  /** Creates a space that is deleted with the fault. */
  async make(object: AnyObject): Promise<void> {
    await this.install();
    this.#made.push(object.metadata.name);
    await this.api.ensure(controlPlanes, object);
  }

  /** Creates an ITS on the plane `ext`, with the Secret that KubeFlex uses to adopt it. */
  async makeExternal(name: string): Promise<void> {
    await this.install();
    const connection = { ...this.ext.kubeconfigEntry.connection, server: this.ext.internalServer };
    const kubeconfig = kubeconfigOf([{ ...this.ext.kubeconfigEntry, connection }]);
    await this.api.ensure<Secret>(secrets, {
      metadata: { namespace: 'kubeflex-system', name: `${name}-bootstrap` },
      stringData: { 'kubeconfig-incluster': kubeconfig },
    } as Secret);
    await this.make(itsObject(name, 'external'));
    await this.untilReady(name);
  }

  /** Replaces the token with which KubeFlex, and whatever it starts, uses an external ITS. */
  async replaceToken(name: string, token: string): Promise<void> {
    const key = `${name}-system/admin-kubeconfig`;
    const { data } = await this.api.get<Secret>(secrets, key);
    const text = Buffer.from(data?.['kubeconfig-incluster'] ?? '', 'base64').toString();
    const changed = text.replace(/token: \S+/, `token: ${token}`);
    await this.api.patch(secrets, key, {
      data: { 'kubeconfig-incluster': Buffer.from(changed).toString('base64') },
    });
  }

  adoptedToken(): Promise<string> {
    // A year, as KubeFlex requests.
    return requestToken(this.ext, adoptedAccount, 31_536_000);
  }

  untilReady(name: string): Promise<unknown> {
    return until(async () => {
      const space = await this.api.find<WithConditions>(controlPlanes, name);
      return isTrue(space?.status?.conditions, 'Ready');
    }, `${name} is ready`);
  }

  /** Deletes a space, and waits for the end of its namespace. */
  async remove(name: string): Promise<void> {
    await this.api.delete(controlPlanes, name);
    await until(
      async () => (await this.api.find(controlPlanes, name)) === undefined,
      `end of ${name}`,
    );
    await until(
      async () => (await this.api.find(namespaces, `${name}-system`)) === undefined,
      `end of ${name}-system`,
    );
  }

  async scale(resource: Resource, key: string, replicas: number): Promise<void> {
    await this.api.patch(resource, key, { spec: { replicas } });
    const isSo = async () =>
      ((await this.api.get<Deployment>(resource, key)).status?.readyReplicas ?? 0) === replicas;
    await until(isSo, `${replicas} pods of ${key}`);
  }

  async untilPod(
    namespace: string,
    prefix: string,
    isSo: (container: ContainerStatus) => boolean,
  ): Promise<void> {
    await until(async () => {
      const { items } = await this.api.list<Pod>(pods, { namespace });
      const own = items.filter(({ metadata }) => metadata.name.startsWith(prefix));
      return own.some(({ status }) =>
        [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])].some(isSo),
      );
    }, `a pod ${namespace}/${prefix} that is so`);
  }

  async untilLogged(namespace: string, prefix: string, text: RegExp): Promise<void> {
    await until(async () => {
      const { items } = await this.api.list<Pod>(pods, { namespace });
      for (const pod of items.filter(({ metadata }) => metadata.name.startsWith(prefix)))
        for (const { name } of pod.spec.containers)
          if (
            text.test(
              await logOf(this.api, `${namespace}/pods/${pod.metadata.name}/log?container=${name}`),
            )
          )
            return true;
      return false;
    }, `${text} in the log of ${namespace}/${prefix}`);
  }

  /** Deletes pods, which their Deployments replace, and waits for their end. */
  async restart(namespace: string, prefix: string): Promise<void> {
    const { items } = await this.api.list<Pod>(pods, { namespace });
    for (const { metadata } of items.filter((pod) => pod.metadata.name.startsWith(prefix))) {
      await this.api.delete(pods, keyOf({ metadata }));
      await until(
        async () => (await this.api.find(pods, keyOf({ metadata }))) === undefined,
        `end of ${metadata.name}`,
      );
    }
  }

  /** Gives a Deployment other arguments, after the end of its pod, whose ports the next one uses. */
  async setArgs(key: string, change: (args: string[]) => string[]): Promise<void> {
    await this.scale(deployments, key, 0);
    const { spec } = await this.api.get<Deployment>(deployments, key);
    const [first, ...others] = spec.template.spec.containers;
    const containers = [{ ...first, args: change(first?.args ?? []) }, ...others];
    await this.api.patch(deployments, key, { spec: { template: { spec: { containers } } } });
    await this.scale(deployments, key, 1);
  }

  /** The subject of the ingress's certificate when a control plane is requested. */
  async certificateAt(name: string): Promise<string> {
    const servername = `${name}.localtest.me`;
    const socket = connect({
      host: '127.0.0.1',
      port: this.hosting.ingressPort ?? 0,
      servername,
      rejectUnauthorized: false,
    });
    try {
      await once(socket, 'secureConnect');
      return socket.getPeerCertificate().subjectaltname ?? '';
    } catch {
      return '';
    } finally {
      socket.destroy();
    }
  }
}

function logOf(api: Api, path: string): Promise<string> {
  return api.send<string>('GET', `/api/v1/namespaces/${path}`).catch(() => '');
}

/** An ITS as KubeStellar's chart creates it. */
export function itsObject(name: string, type: 'host' | 'vcluster' | 'external'): AnyObject {
  const [secret, key] =
    type === 'vcluster'
      ? ['vc-vcluster', 'config-incluster']
      : ['admin-kubeconfig', 'kubeconfig-incluster'];
  const bootstrap = {
    name: `${name}-bootstrap`,
    namespace: 'kubeflex-system',
    inClusterKey: 'kubeconfig-incluster',
  };
  return spaceObject(name, {
    type,
    postCreateHooks: [{ hookName: 'its-hub-init' }, { hookName: 'install-status-addon' }],
    globalVars: { ITSSecretName: secret, ITSSecretKey: key },
    ...(type === 'external' && { bootstrapSecretRef: bootstrap }),
  });
}

/** A host-type WDS as KubeStellar's chart creates it, which names no ITS. */
export function wdsObject(name: string): AnyObject {
  const vars = { WDSSecretName: 'admin-kubeconfig', WDSSecretKey: 'kubeconfig-incluster' };
  return spaceObject(name, {
    type: 'host',
    postCreateHooks: [
      { hookName: 'kubestellar-controller', vars: { APIGroups: '' } },
      { hookName: 'transport-controller', vars },
    ],
    globalVars: { ControlPlaneName: name, ITSName: '' },
  });
}

function spaceObject(name: string, spec: object): AnyObject {
  const { apiVersion, kind } = controlPlanes;
  return {
    apiVersion,
    kind,
    metadata: { name },
    spec: { backend: 'shared', waitForPostCreateHooks: true, ...spec },
  };
}
