/** A registry that has all images under another name, as without access to the public ones: on what `install` has left. */
import assert from 'node:assert/strict';
import { hosting, type Run } from './run.ts';

const pods =
  'kubectl --context kind-kubeflex get pods -A' +
  ` -o 'jsonpath={range .items[*]}{.metadata.namespace} {.spec.containers[*].image}{"\\n"}{end}'`;

/** ITSes whose images come from there, and nothing else: their pods say so, and those of a hub on the hosting cluster. */
export async function registry({ shell }: Run): Promise<void> {
  const from = `--image-registry registry.example ${hosting}`;
  await shell.type(`stellarctl init ${from}`);
  // Two cores have no room for a second vcluster beside two replicas.
  await shell.type(
    'kubectl --context kind-kubeflex -n kube-system scale deployment coredns --replicas 1',
  );
  for (const type of ['vcluster', 'host']) {
    const made = await shell.type(`stellarctl its create its2 --type ${type} ${from}`);
    assert.match(made, /its2: ready/);
    const ofIts = /^(?:its2-system|open-cluster-management\S*) (.+)$/gm;
    const images = [...(await shell.type(pods)).matchAll(ofIts)].flatMap(([, all = '']) =>
      all.split(' '),
    );
    assert.ok(images.length > 0);
    assert.deepEqual(
      images.filter((image) => !image.startsWith('registry.example/')),
      [],
    );
    await shell.type(`stellarctl its delete its2 --yes ${hosting}`);
  }
}
