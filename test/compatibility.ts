/** Which versions have run together, and what tries them: the table of docs/compatibility.md. */
interface Combination {
  kubestellar: string;
  kubeflex: string;
  /** Of the hub and the agents. */
  ocm: string;
  /** Of the hosting cluster and the WECs. */
  kubernetes: string;
  system: string;
  tried: 'CI' | 'release test' | 'engine';
  /** What tries it. */
  by: string;
}

const current = { kubestellar: '0.30.0', kubeflex: '0.9.3', kubernetes: '1.32.13' };
const system = 'Linux, as processes';

export const combinations: readonly Combination[] = [
  { ...current, ocm: '1.0.1', system, tried: 'CI', by: 'test/e2e/hosting/golden.long.test.ts' },
  {
    ...current,
    ocm: '1.2.1',
    system,
    tried: 'CI',
    by: 'test/e2e/spaces/ocm-upgrade.long.release.test.ts',
  },
  {
    ...current,
    ocm: '1.0.1',
    system: 'Linux, Docker and kind 0.33',
    tried: 'engine',
    by: 'test/engine/main.ts',
  },
  {
    ...current,
    kubestellar: '0.29.0',
    kubeflex: '0.9.1',
    ocm: '1.0.1',
    system: 'Linux, as processes; its chart alone',
    tried: 'release test',
    by: 'test/e2e/hosting/init.long.release.test.ts',
  },
];

/** The rows of the table. */
export const compatibilityRows = () =>
  combinations.map(({ kubestellar, kubeflex, ocm, kubernetes, system, tried, by }) =>
    ['', kubestellar, kubeflex, ocm, kubernetes, system, `${tried}: \`${by}\``, '']
      .join(' | ')
      .trim(),
  );
