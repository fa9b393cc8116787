package native

import "github.com/simpang-id/simpang/internal/city"

// A member is a member of a reading that the contract names.
type member uint8

const (
	mKind member = iota
	mSeq
	mBoot
	mAt
	mDevice
	mOccupied
	mDwell
	mBattery
	mTemperature
	mRSSI
	mDirection
	mClass
	mCount
	mPeriod
	mLanes
	mReceipt
	mAmount
	mMethod
	mEntered
	mLeft
	mVoid
	mPlate
	mTotalCount
	mTotalAmount
	mUptime
	mFirmware
	mErrors
	mLane
	mCounts
	mSpeed
	mOccupancy
	mCounter
	mCounterEnd
	numMembers
	mUnknown = numMembers
)

var memberNames = [...]string{
	"kind", "seq", "boot", "at", "device", "occupied", "dwell_s", "battery_v", "temperature_c", "rssi_dbm",
	"direction", "class", "count", "period_s", "lanes", "receipt", "amount", "method", "entered_at", "left_at",
	"void", "plate", "total_count", "total_amount", "uptime_s", "firmware", "errors",
	"lane", "counts", "speed_kmh", "occupancy_pct", "counter_total", "counter_end",
}

func (m member) String() string { return memberNames[m] }

// lookup finds a member by its name; the compiler makes a search of it.
func lookup(name []byte) member {
	switch string(name) {
	case "kind":
		return mKind
	case "seq":
		return mSeq
	case "boot":
		return mBoot
	case "at":
		return mAt
	case "device":
		return mDevice
	case "occupied":
		return mOccupied
	case "dwell_s":
		return mDwell
	case "battery_v":
		return mBattery
	case "temperature_c":
		return mTemperature
	case "rssi_dbm":
		return mRSSI
	case "direction":
		return mDirection
	case "class":
		return mClass
	case "count":
		return mCount
	case "period_s":
		return mPeriod
	case "lanes":
		return mLanes
	case "receipt":
		return mReceipt
	case "amount":
		return mAmount
	case "method":
		return mMethod
	case "entered_at":
		return mEntered
	case "left_at":
		return mLeft
	case "void":
		return mVoid
	case "plate":
		return mPlate
	case "total_count":
		return mTotalCount
	case "total_amount":
		return mTotalAmount
	case "uptime_s":
		return mUptime
	case "firmware":
		return mFirmware
	case "errors":
		return mErrors
	case "lane":
		return mLane
	case "counts":
		return mCounts
	case "speed_kmh":
		return mSpeed
	case "occupancy_pct":
		return mOccupancy
	case "counter_total":
		return mCounter
	case "counter_end":
		return mCounterEnd
	default:
		return mUnknown
	}
}

// A set is a set of members, a bit each.
type set uint64

func of(members ...member) set {
	var s set
	for _, m := range members {
		s |= 1 << m
	}
	return s
}

func (s set) has(m member) bool { return s&(1<<m) != 0 }

// shape is what a kind of reading must and may hold.
type shape struct{ required, allowed set }

func shapeOf(required, optional set) shape {
	required |= of(mKind, mSeq, mAt)
	return shape{required, required | optional | of(mBoot, mDevice)}
}

var shapes = [...]shape{
	city.KindSpot:    shapeOf(of(mOccupied), of(mDwell, mBattery, mTemperature, mRSSI)),
	city.KindGate:    shapeOf(of(mDirection, mClass), of(mCount, mCounter, mCounterEnd)),
	city.KindCount:   shapeOf(of(mClass, mOccupied), 0),
	city.KindTraffic: shapeOf(of(mPeriod, mLanes), 0),
	city.KindReceipt: shapeOf(of(mReceipt, mAmount, mMethod),
		of(mClass, mEntered, mLeft, mVoid, mPlate, mTotalCount, mTotalAmount)),
	city.KindHealth: shapeOf(0, of(mBattery, mUptime, mFirmware, mErrors)),
}

var laneShape = shape{required: of(mLane, mCounts), allowed: of(mLane, mCounts, mDirection, mSpeed, mOccupancy)}
