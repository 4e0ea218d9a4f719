"""What the algorithms of intelligent production answer: the text of `Result` for every function.

As printed: for MTS in the page of its QueryIProductionJob and, for the functions that joined later, in
the shapes of query-apis.md 5.4; for ICE in the page of its own. The slips of the pages are kept, for a
reader must bear them: two documents in one text (quirk 25) and a full-width colon (quirk 26).
"""

from __future__ import annotations

import json
from collections.abc import Mapping


def _with_data(data: object, message: str = "Successful.") -> str:
    """Write the three layers of MTS: in `Result` is `Data`, which is JSON in a text again (quirk 27)."""
    return _compact({"Code": "Success", "Message": message, "Data": _compact(data)})


def _files(*keys: str) -> str:
    return _with_data({"result": [{"file": key} for key in keys]})


def _compact(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


_COVERS = (
    '[{"Score":8.270855992569906,"Time":"28278.25","Url":"cover/test-00001.jpg"},'
    '{"Score":7.474117489692728,"Time":"25942.583333333332","Url":"cover/test-00002.jpg"}]'
)
_CHORUSES = (
    '[{"start":39.32,"end":63.85,"title":"副歌"},{"start":86.69,"end":114.45,"title":"副歌"},'
    '{"start":135.75,"end":160.27,"title":"副歌"}]'
)

MTS_NOTHING_MORE = '{"Details":[],"Message":"success","Code":"Success"}'
MTS_FAILURE = _compact(
    {
        "Code": "InternalError",
        "Message": "The operation has failed due to some unknown error, exception or failure.",
    }
)
MTS_RESULTS: Mapping[str, str] = {
    "CaptionExtraction": (
        r'{"Code":"Success","Message":"Successful.","Data":"{\"result\"'
        + "\uff1a"  # instead of a colon
        + r"[{\"file\":\"captionextraction/b48d02b58e9b6a0d1c13271bcf9aa6d7-161121379****.srt\"}]}"
        + '"}'
    ),
    "MusicSegmentDetect": _compact(
        {"Code": "Success", "Data": f'{{"result":{_CHORUSES}}}', "Message": "Successful."}
    ),
    "VideoGreenScreenMatting": _files(
        "videogreenscreenmatting/16e6bc5ca802e12429d082010164dba3-1602755353502_matting.mp4"
    ),
    "Cover": MTS_NOTHING_MORE + _compact({"Message": "success", "Data": _COVERS, "Code": "Success"}),
    "VideoClip": _files("videoclip/16e6bc5ca802e12429d082010164dba3-1602755353502-origin.mp4"),
    "ImageMatting": _compact(
        {
            "Details": [{"Status": "Success", "Input": "1.jpg", "Output": "production/1-1-seg.jpeg"}],
            "Message": "The job is completed successfully",
            "Code": "Success",
        }
    ),
    **dict.fromkeys(("VideoDetext", "VideoH2V", "VideoDelogo", "ImageH2V", "ImageDelogo"), MTS_NOTHING_MORE),
    "AudioMixing": _files("audiomixing/1612259314837.mp4"),
    "AudioBeatDetection": _files("audiobeatdetection/1612259314837.json"),
    "ASR": _files("as rresult/1612259314837.txt"),  # with the space (quirk 66)
    "AsyncTextToSpeech": _files("speech/1612259314837.pcm", "speech/1612259314837.json"),
    "VideoSplit": _with_data({"splitResult": [{"beginTime": 0.0, "endTime": 12.48, "title": "1"}]}),
}
# The one function whose result is in the answer to its submission; `Data` is no text there and `file`
# is sound in Base64 (query-apis.md 5.4).
MTS_SPOKEN = _compact(
    {
        "Message": "The job is completed successfully",
        "Data": {"result": [{"file": "UklGRiQOBgBXQVZFZm10IBA="}]},
        "Code": "Success",
    }
)

ICE_NOTHING_MORE = "{}"  # success, and all there is (quirk 38)
ICE_RESULTS: Mapping[str, str] = {
    "Cover": _COVERS,
    "VideoClip": '{"VideoSummaryList":[{"EndTime":"5.28","StartTime":"0.28"}]}',
    "MusicSegmentDetect": _CHORUSES,
    "AudioQualityAssessment": (
        '[{ "Discontinuity":"Good", "Loudness":"Excellent", "Worst MOS(0-5)":"0.38",'
        ' "Discontinuity(0-5)":"3.52", "Speech Ratio":"48.55", "Loudness(0-5)":"4.91",'
        ' "Worst Discontinuity(0-5)":"0.88", "Worst Coloration(0-5)":"0.42", "Channel":"1",'
        ' "Coloration(0-5)":"0.99", "Bad Mute Ratio(%)":"0.0", "Time":"2022-12-02 16:14:06",'
        ' "Noisiness(0-5)":"3.28", "MOS":"Poor", "Worst Noisiness(0-5)":"0.91",'
        ' "Double Talk Ratio(%)":"19.23", "Input":"/home/admin/algo/quality****/example.wav",'
        ' "Total Duration":"42.78", "Noisiness":"Good", "Tag":"Valid", "MOS(0-5)":"1.01",'
        ' "Loudness(-90dB-0dB)":"-0.59", "Coloration":"Bad", "Saturated Ratio(%)":"37.55" },'
        ' { "Discontinuity":"Fair", "Loudness":"Excellent", "Worst MOS(0-5)":"0.65",'
        ' "Discontinuity(0-5)":"2.45", "Speech Ratio":"41.68", "Loudness(0-5)":"4.52",'
        ' "Worst Discontinuity(0-5)":"0.66", "Worst Coloration(0-5)":"0.72", "Channel":"2",'
        ' "Coloration(0-5)":"2.34", "Bad Mute Ratio(%)":"0.0", "Time":"2022-12-02 16:14:06",'
        ' "Noisiness(0-5)":"2.53", "MOS":"Poor", "Worst Noisiness(0-5)":"0.67",'
        ' "Double Talk Ratio(%)":"25.93", "Input":"/home/admin/algo/quality****/example.wav",'
        ' "Total Duration":"42.78", "Noisiness":"Fair", "Tag":"Valid", "MOS(0-5)":"1.69",'
        ' "Loudness(-90dB-0dB)":"-4.82", "Coloration":"Fair", "Saturated Ratio(%)":"0.0" }]'
    ),
    **dict.fromkeys(
        (
            *("VideoDelogo", "VideoDetext", "CaptionExtraction", "VideoGreenScreenMatting", "FaceBeauty"),
            *("VideoH2V", "AudioBeatDetection", "SpeechDenoise", "AudioMixing", "MusicDemix"),
        ),
        ICE_NOTHING_MORE,
    ),
}
