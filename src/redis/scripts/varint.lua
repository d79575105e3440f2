-- Shared by the scripts that read or write numbers as protobuf does: base 128, the lowest digits first. Bytes are text
-- here, a character for each: a digit that others follow has a bit more, and so takes two bytes in UTF-8.

local byte, char, floor = string.byte, string.char, math.floor

-- A number, and how many bytes that takes.
local function varint(number)
  if number < 128 then return char(number), 1 end
  local low, rest = number % 128, floor(number / 128)
  local first, second = 194, 128 + low
  if low >= 64 then first, second = 195, 64 + low end
  if rest < 128 then return char(first, second, rest), 2 end
  local digits, length = varint(rest)
  return char(first, second) .. digits, 1 + length
end

-- The number that begins at a place in a text, and where it ends.
local function varint_at(text, at)
  local number, factor, digit = 0, 1, nil
  repeat
    digit = byte(text, at)
    at = at + 1
    if digit >= 128 then
      digit = (digit - 192) * 64 + byte(text, at) - 128
      at = at + 1
    end
    number = number + digit % 128 * factor
    factor = factor * 128
  until digit < 128
  return number, at
end
