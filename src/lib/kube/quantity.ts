const decimal = { n: 1e-9, u: 1e-6, m: 1e-3, '': 1, k: 1e3, M: 1e6, G: 1e9, T: 1e12, P: 1e15, E: 1e18 };
const binary = { Ki: 2 ** 10, Mi: 2 ** 20, Gi: 2 ** 30, Ti: 2 ** 40, Pi: 2 ** 50, Ei: 2 ** 60 };
const factors: Readonly<Record<string, number>> = { ...decimal, ...binary };

/**
 * A quantity of Kubernetes as a number: `2m`, `1.5Gi`, `1e3`. That of client-node has no fractions before a suffix such as `Gi`.
 * @returns 0 for a missing one
 */
export function parseQuantity(text = '0'): number {
  const [, number, suffix = ''] = /^([-+]?[\d.]+(?:[eE][-+]?\d+)?)([A-Za-z]*)$/.exec(text) ?? [];
  return Number(number) * (factors[suffix] ?? Number.NaN);
}
