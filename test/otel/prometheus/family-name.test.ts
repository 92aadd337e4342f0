import test from 'ava';
import { metric } from '../../../otel/model/metric.ts';
import { type FamilyType, familyName, prometheusUnit } from '../../../otel/prometheus/family-name.ts';

const units = test.macro({
  exec: (t, unit: string, expected: string) => t.is(prometheusUnit(unit), expected),
  title: (_, unit, expected) => `unit ${JSON.stringify(unit)} is ${JSON.stringify(expected)}`,
});

test(units, 'By', 'bytes');
test(units, 's', 'seconds');
test(units, 'ms', 'milliseconds');
test(units, '1', '');
test(units, '', '');
test(units, '{packet}', '');
test(units, 'By/s', 'bytes_per_second');
test(units, '{request}/s', 'per_second');
test(units, 'By/{request}', 'bytes');
test(units, 'm/min', 'meters_per_minute');
test(units, '%', 'percent');
test(units, 'Cel', 'celsius');
test(units, 'furlong', 'furlong');
test(units, ' By ', 'bytes');
test(units, 'a"b\n/c', 'a_b_per_c');

const names = test.macro<[string, string, FamilyType, string, string?]>({
  exec: (t, name: string, unit: string, type: FamilyType, expected: string, expectedUnit = '') => {
    const kind = type === 'counter' ? 'sum' : type;
    const found = familyName(metric({ name, unit, kind, isMonotonic: type === 'counter' }), type);
    t.is(found.name, expected);
    t.is(found.unit, expectedUnit);
    t.is(found.base, type === 'counter' && expected !== '' ? expected.slice(0, -'_total'.length) : expected);
  },
  title: (_, name, unit, type, expected) =>
    `${type} ${JSON.stringify(name)} in ${JSON.stringify(unit)} is ${expected}`,
});

test(names, 'system.network.io', 'By', 'counter', 'system_network_io_bytes_total', 'bytes');
test(names, 'system.cpu.time', 's', 'counter', 'system_cpu_time_seconds_total', 'seconds');
test(names, 'system.cpu.utilization', '1', 'gauge', 'system_cpu_utilization_ratio', 'ratio');
test(names, 'done', '1', 'counter', 'done_total');
test(names, 'system.network.packets', '{packet}', 'counter', 'system_network_packets_total');
test(names, 'requests_total', '', 'counter', 'requests_total');
test(names, 'io.total', 'By', 'counter', 'io_bytes_total', 'bytes');
test(names, 'disk.bytes.used', 'By', 'gauge', 'disk_bytes_used');
test(names, 'disk.bytes', 'By', 'gauge', 'disk_bytes', 'bytes');
test(names, 'kilobytes', 'By', 'gauge', 'kilobytes_bytes', 'bytes');
test(names, 'rate', 'By/s', 'gauge', 'rate_bytes_per_second', 'bytes_per_second');
test(
  names,
  'http.server.request.duration',
  's',
  'histogram',
  'http_server_request_duration_seconds',
  'seconds',
);
test(names, 'a..b--c  d', '', 'gauge', 'a_b_c_d');
test(names, '1st', '', 'gauge', '_1st');
test(names, 'job:rate', '', 'gauge', 'job:rate');
test(names, 'größe', '', 'gauge', 'gr_e');
test(names, '流量', 'By', 'gauge', '');
test(names, 'total', '', 'counter', 'total_total');
