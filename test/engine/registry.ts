/** A registry that has all images under another name, as without access to the public ones: on what `install` has left. */
import assert from 'node:assert/strict';
import { hosting, type Run } from './run.ts';

/** An ITS of type vcluster whose images come from there, and nothing else: its pods say so. */
export async function registry({ shell }: Run): Promise<void> {
  const from = `--image-registry registry.example ${hosting}`;
  await shell.type(`stellarctl init ${from}`);
  // Two cores have no room for a second vcluster beside two replicas.
  await shell.type(
    'kubectl --context kind-kubeflex -n kube-system scale deployment coredns --replicas 1',
  );
  const made = await shell.type(`stellarctl its create its2 ${from}`);
  assert.match(made, /its2: ready/);
  const pods =
    "kubectl --context kind-kubeflex -n its2-system get pods -o 'jsonpath={.items[*].spec.containers[*].image}'";
  const images = (await shell.type(pods)).trim().split(/\s+/);
  assert.deepEqual(
    images.filter((image) => !image.startsWith('registry.example/')),
    [],
  );
  await shell.type(`stellarctl its delete its2 --yes ${hosting}`);
}
