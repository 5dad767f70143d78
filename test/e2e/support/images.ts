import { type KubeObject, type Plane, resources } from '../../../testbed/index.ts';

/** The fields of a Deployment that are changed. */
interface Template extends KubeObject {
  spec: { template: { spec: { containers: { image: string }[] } } };
}

/** Changes the tag of a Deployment's container, as `kubectl set image` does. @param image the last part of its name */
export async function setImage(plane: Plane, key: string, image: string, tag: string): Promise<void> {
  const { spec } = await plane.admin.get<Template>(resources.deployments, key);
  const at = spec.template.spec.containers.findIndex((container) => container.image.includes(`/${image}:`));
  const value = spec.template.spec.containers[at]?.image.replace(/:[^:]*$/, `:${tag}`);
  const path = `/spec/template/spec/containers/${at}/image`;
  await plane.admin.patch(resources.deployments, key, [{ op: 'replace', path, value }], { type: 'json' });
}
