package city

// Reason names why a message or reading was set aside. The words are part of
// the API and of the metrics: a closed set.
type Reason string

// The reasons, in the order in which a message meets the checks.
const (
	ReasonTooLarge         Reason = "too_large"          // payload or line over the limit
	ReasonNotJSON          Reason = "not_json"           // native: no JSON object or array
	ReasonNotFrame         Reason = "not_frame"          // serial: binary noise or no sentence of ours
	ReasonLineTooLong      Reason = "line_too_long"      // serial: over 255 bytes
	ReasonChecksum         Reason = "bad_checksum"       // serial: XOR differs
	ReasonBadTopic         Reason = "bad_topic"          // no device in the topic
	ReasonUnknownKind      Reason = "unknown_kind"       //
	ReasonMissingMember    Reason = "missing_member"     //
	ReasonWrongType        Reason = "wrong_type"         // a member has another type than the contract's
	ReasonImpossible       Reason = "impossible_value"   // negative count, period out of range, ...
	ReasonDeviceMismatch   Reason = "device_mismatch"    // a member or sentence names another device than the topic
	ReasonUnknownDevice    Reason = "unknown_device"     // not in the inventory
	ReasonWrongKind        Reason = "wrong_kind"         // this device has another kind in the inventory
	ReasonTooFarAhead      Reason = "too_far_ahead"      // at > now + max_ahead
	ReasonTooOld           Reason = "too_old"            // at < now - max_age
	ReasonSequenceConflict Reason = "sequence_conflict"  // same identity, other content
	ReasonForgotten        Reason = "sequence_forgotten" // older than what de-duplication still remembers
	ReasonDecoderFailed    Reason = "decoder_failed"     // the decoder panicked on it: a fault of ours
	ReasonNotPrint         Reason = "not_a_print"        // escpos: noise
	ReasonPartPrint        Reason = "print_cut_off"      // escpos: not seen from beginning to end, so no amount is read
	ReasonUnreadPrint      Reason = "print_unread"       // escpos: no template makes a receipt of it
	ReasonNoProfile        Reason = "no_profile"         // LoRaWAN: the device's profile in devices.csv is missing or none of ours
	ReasonBadPayload       Reason = "bad_payload"        // LoRaWAN: the bytes are none of the device's profile
	ReasonCodecFailed      Reason = "codec_failed"       // LoRaWAN: the vendor's codec threw, broke, or returned what is no output
	ReasonCodecSlow        Reason = "codec_slow"         // LoRaWAN: the vendor's codec took longer than it may
	ReasonCodecRests       Reason = "codec_rests"        // LoRaWAN: the vendor's codec cost too much before, and is not asked for a while
	ReasonSimulated        Reason = "simulated"          // LoRaWAN: a test from the network's console, no measurement
)

// Reasons lists every reason.
var Reasons = []Reason{
	ReasonTooLarge, ReasonNotJSON, ReasonNotFrame, ReasonLineTooLong, ReasonChecksum, ReasonBadTopic,
	ReasonUnknownKind, ReasonMissingMember, ReasonWrongType, ReasonImpossible, ReasonDeviceMismatch,
	ReasonUnknownDevice, ReasonWrongKind, ReasonTooFarAhead, ReasonTooOld, ReasonSequenceConflict, ReasonForgotten,
	ReasonDecoderFailed, ReasonNotPrint, ReasonPartPrint, ReasonUnreadPrint, ReasonNoProfile, ReasonBadPayload,
	ReasonCodecFailed, ReasonCodecSlow, ReasonCodecRests, ReasonSimulated,
}

// Refusal is one element of a message that did not become a reading.
type Refusal struct {
	Index  int    // place in the message's array; 0 for a single object
	Reason Reason // why
	Detail string // what is wrong and what to do, for a person; no payload content that could be personal
	Raw    []byte // the element as sent (a slice of the payload where possible)
	Seq    Int    // the sequence number where it could still be read
	Boot   Int    // likewise
	At     Int    // likewise, Unix ms
}
