import { type KubeObject, type Plane, resources } from '../../../testbed/index.ts';

/** As much of a Deployment as is changed. */
interface Template extends KubeObject {
  spec: { template: { spec: { containers: { image: string }[] } } };
}

/** Gives a container of a Deployment another tag by hand, as `kubectl set image`. @param image the last part of its name */
export async function setImage(plane: Plane, key: string, image: string, tag: string): Promise<void> {
  const { spec } = await plane.admin.get<Template>(resources.deployments, key);
  const at = spec.template.spec.containers.findIndex((container) => container.image.includes(`/${image}:`));
  const value = spec.template.spec.containers[at]?.image.replace(/:[^:]*$/, `:${tag}`);
  const path = `/spec/template/spec/containers/${at}/image`;
  await plane.admin.patch(resources.deployments, key, [{ op: 'replace', path, value }], { type: 'json' });
}
