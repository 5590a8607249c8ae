"""The conditions that notes are about: `TOPICS`."""

from sanilens.corpus.clinic.topics.bones_and_skin import BONES_AND_SKIN
from sanilens.corpus.clinic.topics.chest_and_belly import CHEST_AND_BELLY
from sanilens.corpus.clinic.topics.head_and_glands import HEAD_AND_GLANDS
from sanilens.corpus.clinic.topics.heart import HEART
from sanilens.corpus.clinic.topics.topic import Topic

__all__ = ["TOPICS", "Topic"]

TOPICS: tuple[Topic, ...] = HEART + CHEST_AND_BELLY + BONES_AND_SKIN + HEAD_AND_GLANDS
