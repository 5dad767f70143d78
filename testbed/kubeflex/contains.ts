/** Whether an object has all wanted fields: it may have more fields, and more members at the end of a list. */
export function contains(present: unknown, wanted: unknown): boolean {
  if (wanted === null) return present === undefined || present === null;
  if (Array.isArray(wanted))
    return Array.isArray(present) && wanted.every((member, at) => contains(present[at], member));
  if (typeof wanted !== 'object') return present === wanted;
  if (typeof present !== 'object' || present === null) return false;
  const fields = present as Record<string, unknown>;
  return Object.entries(wanted).every(([name, value]) => contains(fields[name], value));
}
