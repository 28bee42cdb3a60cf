"""What keeps calls from working on this machine, and what to do about it."""

from telnyx_native.doctor.examination import Diagnosis, examine
from telnyx_native.doctor.finding import Cause, Finding, Status
from telnyx_native.doctor.symptoms import Symptom

__all__ = ["Cause", "Diagnosis", "Finding", "Status", "Symptom", "examine"]
