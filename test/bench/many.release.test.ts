import { it } from 'node:test';
import { benchDoctorMany } from './doctor-many.ts';
import { benchMany } from './many.ts';

for (const count of process.env.MANY ? [Number(process.env.MANY)] : [60, 300]) {
  it(`the life of ${count} WECs`, () => benchMany(count));
  const skip = count < 40 && 'it breaks thirty of them';
  it(`doctor on ${count} WECs`, { skip }, () => benchDoctorMany(count));
}
