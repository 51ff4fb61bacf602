"""What it costs to send a parcel: a Lambda handler in Python."""

import math

BASE_CENTS = {"domestic": 490, "europe": 1190, "world": 2490}
CENTS_PER_KG = {"domestic": 60, "europe": 180, "world": 700}
KG_MAX = 31.5


class TooHeavy(Exception):
    """A Catch of the state machine names it: the error type is the exception's name."""


def price(parcel, context):
    zone = parcel["zone"]
    # A large box costs as if it were heavy.
    volume_kg = math.prod(parcel["sizeCm"]) / 5000
    kg = max(parcel["kg"], volume_kg)
    if kg > KG_MAX:
        raise TooHeavy(f"{parcel['id']} counts as {kg:.1f} kg, more than {KG_MAX}")
    cents = BASE_CENTS[zone] + math.ceil(kg) * CENTS_PER_KG[zone]
    print(f"{context.aws_request_id}: {parcel['id']} to {zone}: {cents} cents")
    return {"id": parcel["id"], "zone": zone, "kg": round(kg, 2), "cents": cents}
