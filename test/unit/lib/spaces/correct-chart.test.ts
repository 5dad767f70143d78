import '../../support/environment.ts';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { correctTemplate } from '../../../../src/lib/spaces/install/chart.ts';

const corrected = (...lines: string[]) =>
  correctTemplate(lines.join('\n'), 'r.example:5000/m').split('\n');

test('images and charts are taken from the registry; other addresses stay', () =>
  assert.deepEqual(
    corrected(
      '  image: quay.io/kubestellar/kubectl:{{.Values.KUBECTL_VERSION}}',
      '  image: ghcr.io/kubestellar/kubeflex/manager:0.9.3',
      '  - oci://ghcr.io/kubestellar/ocm-status-addon-chart',
      '  # https://github.com/kubestellar/kubestellar',
      '  server: https://notquay.io.example/',
    ),
    [
      '  image: r.example:5000/m/kubestellar/kubectl:{{.Values.KUBECTL_VERSION}}',
      '  image: r.example:5000/m/kubestellar/kubeflex/manager:0.9.3',
      '  - oci://r.example:5000/m/kubestellar/ocm-status-addon-chart',
      '  # https://github.com/kubestellar/kubestellar',
      '  server: https://notquay.io.example/',
    ],
  ));

test('clusteradm and the chart of PostgreSQL get an option for their images', () => {
  assert.deepEqual(corrected('    args:', '    - init', '    - --wait'), [
    '    args:',
    '    - init',
    '    - --image-registry=r.example:5000/m/open-cluster-management',
    '    - --wait',
  ]);
  assert.deepEqual(
    corrected('  - postgres', '  - oci://quay.io/kubestellar/charts/postgresql', '  - --version'),
    [
      '  - postgres',
      '  - oci://r.example:5000/m/kubestellar/charts/postgresql',
      '  - --set',
      '  - global.imageRegistry=r.example:5000/m',
      '  - --version',
    ],
  );
});
