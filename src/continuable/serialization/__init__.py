"""Values as plain JSON and back, each as the same type. Nothing is unpickled, nothing imported.

What JSON knows stays as it is; everything else becomes `{"$": tag, "v": plain}`.
"""

from continuable.serialization.codec import Codec, Serializer
from continuable.serialization.plain_types import compact

__all__ = ["Codec", "Serializer", "compact"]
