// Package native is the format `native` of contract section 2: JSON that our
// own devices send over MQTT, one object or an array of them.
//
// Where the contract is silent this holds:
//   - A payload that is not JSON to its last byte (RFC 8259, UTF-8, nested 16
//     deep at most) is refused whole as not_json, and so is an empty array or
//     anything else that holds no object.
//   - A member that is null is absent. A member that stands twice in one
//     object is refused as wrong_type: nobody can tell which one is meant.
//   - Whole numbers may be written 12, 12.0 or 1.2e1; 12.5 is wrong_type.
//     Measured numbers are rounded to thousandths.
//   - Times are kept to the millisecond; what is finer is cut off. A time
//     without a zone is wrong_type, the 30th of February impossible_value.
//   - Values that no device can have measured (the limits of package wire) are impossible_value.
//   - A `device` member must name the device of the topic.
//   - A member of another kind of reading is an unknown member.
//   - One reason is told: the first in the order of city.Reasons.
//
// The scanner is our own. For one spot reading of six members Decode takes
// 0.27 us and 2 allocations on the 2-core machine of pitfalls.md; encoding/json
// 1.1 us and 12, goccy/go-json 0.30 us and 8 into a plain struct, jsontext
// 0.24 us for the tokens alone. None of these can name the faulty member, count
// the unknown ones and keep the raw element without a second pass
// (BenchmarkDecode, BenchmarkCandidates).
package native
