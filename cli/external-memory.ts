import v8 from 'node:v8';

// Imported before all else by a command that takes in much. What comes over the network is memory outside of V8's heap, and after every few dozen MiB of it V8
// goes through the whole heap, however large that is: with a hundred thousand series that was more than half of what taking in requests cost
// (`npm run bench otlp`). Under this flag it counts as a part of the heap, which is gone through when it has grown.
const [major] = process.versions.node.split('.').map(Number);
// Older versions write an error about a flag that they do not know.
if (major! >= 24) v8.setFlagsFromString('--external-memory-accounted-in-global-limit');
