"""The conditions that notes are about: `TOPICS`."""

from research.cases.clinic.topics.bones_and_skin import BONES_AND_SKIN
from research.cases.clinic.topics.chest_and_belly import CHEST_AND_BELLY
from research.cases.clinic.topics.head_and_glands import HEAD_AND_GLANDS
from research.cases.clinic.topics.heart import HEART
from research.cases.clinic.topics.topic import Topic

__all__ = ["TOPICS", "Topic"]

TOPICS: tuple[Topic, ...] = HEART + CHEST_AND_BELLY + BONES_AND_SKIN + HEAD_AND_GLANDS
