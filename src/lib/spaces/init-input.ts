import { coreChart } from './core-chart.ts';
import type { ValueOptions, Values } from './helm-values.ts';

/** The input of `init`. */
export interface InitInput {
  /** A reference, a folder or a packaged chart that replaces KubeStellar's own chart. */
  chart?: string | undefined;
  version?: string | undefined;
  upgrade: boolean;
  domain?: string | undefined;
  externalPort?: number | undefined;
  /** The registry for all images and charts that KubeStellar's chart names; default: the one that the installed hooks name. */
  imageRegistry?: string | undefined;
  /** In helm's form. */
  values: ValueOptions;
}

/** KubeFlex's settings in the input, as values of the core chart. */
export function kubeFlexValues({ domain, externalPort }: InitInput): Values {
  const given = Object.entries({ domain, externalPort }).filter(([, value]) => value !== undefined);
  return given.length === 0 ? {} : { [coreChart.kubeFlexValues]: Object.fromEntries(given) };
}
