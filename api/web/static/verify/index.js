// The verifier's public surface. Runs in a browser and in Node.js, without any request.
import "./older.js";
export { FILE_SUFFIX, STEPS, verifyBundle, verifyFile } from "./bundle.js";
export { readConsistency, verifyConsistency } from "./consistency.js";
export { EVIDENCE_SUFFIX, compareHistory } from "./history.js";
export { membersOf } from "./members.js";
export { canonicalText, parseCanonicalLine } from "./jcs.js";
export { loadCrypto } from "./crypto.js";
export { CheckFailed, CheckImpossible } from "./errors.js";
export { eventHashId, namespacesOf, preHash } from "./hashing.js";
export { canonicalOrSame, identify } from "./gs1.js";
export { parseCheckpoint, parseNote } from "./note.js";
export { readTrust } from "./trust.js";
export { VOCABULARIES, canonicalText as canonicalValue, offsetMinutes, parseTime } from "./values.js";
