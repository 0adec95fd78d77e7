-- The health of Istio's kinds for Argo CD. istiod writes validationMessages with PILOT_ENABLE_ANALYSIS only.
local hs = { status = "Healthy", message = "Istio uses it" }
if obj.metadata.deletionTimestamp ~= nil then
  return { status = "Progressing", message = "Waiting for its deletion" }
end
if obj.status == nil or obj.status.validationMessages == nil then return hs end
for _, message in ipairs(obj.status.validationMessages) do
  if message.level == "ERROR" or message.level == 3 then
    local text = message.message or message.description or ""
    local kind = message.type or {}
    return { status = "Degraded", message = (kind.name or "Error") .. " " .. (kind.code or "") .. " " .. text }
  end
end
return hs
