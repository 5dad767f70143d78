import type { ValueOptions, Values } from '../../programs/helm/values.ts';
import { coreChart } from '../core-chart.ts';

/** What `init` is asked to do. */
export interface InitInput {
  /** A reference, a folder or a packed file instead of KubeStellar's own. */
  chart?: string | undefined;
  version?: string | undefined;
  upgrade: boolean;
  domain?: string | undefined;
  externalPort?: number | undefined;
  hostContainer?: string | undefined;
  /** As helm takes them. */
  values: ValueOptions;
}

/** KubeFlex's settings among what is asked for, as values of the core chart. */
export function kubeFlexValues({ domain, externalPort, hostContainer }: InitInput): Values {
  const given = Object.entries({ domain, externalPort, hostContainer }).filter(([, value]) => value !== undefined);
  return given.length === 0 ? {} : { [coreChart.kubeFlexValues]: Object.fromEntries(given) };
}
