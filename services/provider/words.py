"""The contract's words of this area, as short ones."""

from __future__ import annotations

from lead.casework.v1 import casework_pb2
from lead.options.v1 import words_pb2
from lead.provider.v1 import provider_pb2 as pb
from lead.provider.v1 import provider_service_pb2 as service

from services.shared.wire import Words

SERVICE_KINDS = Words(pb.ServiceKind, "SERVICE_KIND_")
SERVICE_STATES = Words(pb.ServiceState, "SERVICE_STATE_")
REQUEST_STATES = Words(pb.RequestState, "REQUEST_STATE_")
REQUEST_REASONS = Words(pb.RequestDeclineReason, "REQUEST_DECLINE_REASON_")
ANSWER_STATES = Words(pb.AnswerState, "ANSWER_STATE_")
ANSWER_REASONS = Words(pb.AnswerDeclineReason, "ANSWER_DECLINE_REASON_")
STATUSES = Words(pb.EnrollmentStatus, "ENROLLMENT_STATUS_")
ATTENDANCE = Words(pb.AttendanceStatus, "ATTENDANCE_STATUS_")
OUTCOMES = Words(service.BatchOutcome, "BATCH_OUTCOME_")
NEEDS = Words(casework_pb2.Need, "NEED_")
CATEGORIES = Words(words_pb2.Category, "CATEGORY_")
