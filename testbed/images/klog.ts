/** A line as klog writes it: level, time, process, place in the source. */
export function klog(level: 'I' | 'W' | 'E' | 'F', place: string, text: string, date = new Date()): string {
  const iso = date.toISOString();
  const day = iso.slice(5, 10).replace('-', '');
  return `${level}${day} ${iso.slice(11, 23)}000       1 ${place}] ${text}`;
}
